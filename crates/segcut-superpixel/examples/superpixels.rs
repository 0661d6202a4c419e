//! Superpixels of a list of images: label PNGs and the median time of each, for comparisons with peers.
//!
//! `superpixels PARAMS.json|{…} LIST OUT_DIR|- REPEATS`: LIST names an image a line, `-` writes no labels.

#![allow(clippy::print_stdout, clippy::disallowed_methods)]

use segcut_core::{ColorSpace, Context, Image, LabelMap, Oversegmenter, Samples};
use segcut_superpixel::{Etps, Grid, Slic, Snic};
use std::error::Error;
use std::path::Path;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [params, list, out, repeats] = args.as_slice() else {
        return Err("usage: superpixels {JSON parameters} LIST OUT_DIR|- REPEATS".into());
    };
    let slic = method(params)?;
    let repeats: usize = repeats.parse()?;
    let (mut wall, mut cpu) = (Vec::new(), Vec::new());
    let mut regions = 0;
    for path in std::fs::read_to_string(list)?.lines() {
        let rgb = image::open(path)?.to_rgb8();
        let (width, height) = rgb.dimensions();
        let image = Image::new(height as usize, width as usize, ColorSpace::Srgb, Samples::U8(rgb.into_raw()))?;
        let (map, milliseconds) = timed(slic.as_ref(), &image, repeats)?;
        wall.push(milliseconds[0]);
        cpu.push(milliseconds[1]);
        regions += map.n();
        if out != "-" {
            write(&map, &Path::new(out).join(Path::new(path).with_extension("png").file_name().unwrap_or_default()))?;
        }
    }
    let mean = regions as f64 / wall.len().max(1) as f64;
    println!("{{\"wall_ms\": {:.3}, \"cpu_ms\": {:.3}, \"regions\": {mean:.1}}}", median(wall), median(cpu));
    Ok(())
}

/// The method that `kind` names (`slic` where there is none), with the other keys as its parameters.
fn method(json: &str) -> Result<Box<dyn Oversegmenter>, Box<dyn Error>> {
    let mut table: serde_json::Map<String, serde_json::Value> = serde_json::from_str(json)?;
    let kind = table.remove("kind");
    let params = serde_json::Value::Object(table);
    Ok(match kind.as_ref().and_then(|k| k.as_str()).unwrap_or("slic") {
        "slic" => Box::new(Slic::new(serde_json::from_value(params)?)?),
        "snic" => Box::new(Snic::new(serde_json::from_value(params)?)?),
        "etps" => Box::new(Etps::new(serde_json::from_value(params)?)?),
        "grid" => Box::new(Grid::new(serde_json::from_value(params)?)?),
        other => return Err(format!("unknown kind {other}").into()),
    })
}

/// The labels and the median milliseconds of some repeats: wall clock, then all threads' work.
fn timed(slic: &dyn Oversegmenter, image: &Image, repeats: usize) -> Result<(LabelMap, [f64; 2]), Box<dyn Error>> {
    let mut map = slic.oversegment(image, &[], &Context::default())?;
    let (mut wall, mut cpu) = (Vec::new(), Vec::new());
    for _ in 0..repeats {
        let (start, before) = (Instant::now(), cpu_milliseconds());
        map = slic.oversegment(image, &[], &Context::default())?;
        wall.push(start.elapsed().as_secs_f64() * 1e3);
        cpu.push(cpu_milliseconds() - before);
    }
    Ok((map, [median(wall), median(cpu)]))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// The time that all threads have run, as Linux tells it; 0 elsewhere.
fn cpu_milliseconds() -> f64 {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return 0.0 };
    let nanoseconds = |task: std::fs::DirEntry| -> Option<f64> {
        let stat = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        stat.split(' ').next()?.parse().ok()
    };
    tasks.flatten().filter_map(nanoseconds).sum::<f64>() / 1e6
}

fn write(map: &LabelMap, path: &Path) -> Result<(), Box<dyn Error>> {
    let labels = map.labels().iter().map(|&l| l.min(65_535) as u16).collect();
    let image =
        image::ImageBuffer::<image::Luma<u16>, Vec<u16>>::from_raw(map.width() as u32, map.height() as u32, labels);
    Ok(image.ok_or("labels fill the image")?.save(path)?)
}
