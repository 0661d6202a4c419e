//! Superpixels of a list of images: label PNGs and the median time of each, for comparisons with peers.
//!
//! `superpixels PARAMS.json|{…} LIST OUT_DIR|- REPEATS`: LIST names an image a line, `-` writes no labels.

use segcut_core::{ColorSpace, Context, Image, LabelMap, Oversegmenter, Samples};
use segcut_superpixel::{Slic, SlicParams};
use std::error::Error;
use std::path::Path;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [params, list, out, repeats] = args.as_slice() else {
        return Err("usage: superpixels {JSON parameters} LIST OUT_DIR|- REPEATS".into());
    };
    let params: SlicParams = serde_json::from_str(params)?;
    let slic = Slic::new(params)?;
    let repeats: usize = repeats.parse()?;
    let mut times = Vec::new();
    let mut regions = 0;
    for path in std::fs::read_to_string(list)?.lines() {
        let rgb = image::open(path)?.to_rgb8();
        let (width, height) = rgb.dimensions();
        let image = Image::new(height as usize, width as usize, ColorSpace::Srgb, Samples::U8(rgb.into_raw()))?;
        let (map, milliseconds) = timed(&slic, &image, repeats)?;
        times.push(milliseconds);
        regions += map.n();
        if out != "-" {
            write(&map, &Path::new(out).join(Path::new(path).with_extension("png").file_name().unwrap_or_default()))?;
        }
    }
    times.sort_by(f64::total_cmp);
    let images = times.len().max(1);
    println!(
        "{{\"median_ms\": {:.3}, \"regions\": {:.1}}}",
        times.get(images / 2).unwrap_or(&0.0),
        regions as f64 / images as f64
    );
    Ok(())
}

/// The labels and the median milliseconds of some repeats.
#[allow(clippy::disallowed_methods)]
fn timed(slic: &Slic, image: &Image, repeats: usize) -> Result<(LabelMap, f64), Box<dyn Error>> {
    let mut map = slic.oversegment(image, &[], &Context::default())?;
    let mut times = Vec::new();
    for _ in 0..repeats {
        let start = Instant::now();
        map = slic.oversegment(image, &[], &Context::default())?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok((map, times.get(repeats / 2).copied().unwrap_or(0.0)))
}

fn write(map: &LabelMap, path: &Path) -> Result<(), Box<dyn Error>> {
    let labels = map.labels().iter().map(|&l| l.min(65_535) as u16).collect();
    let image =
        image::ImageBuffer::<image::Luma<u16>, Vec<u16>>::from_raw(map.width() as u32, map.height() as u32, labels);
    Ok(image.ok_or("labels fill the image")?.save(path)?)
}
