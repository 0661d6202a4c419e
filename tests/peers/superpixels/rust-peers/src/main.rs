//! Superpixels of a list of images by other crates: label PNGs and the median time, as JSON.
//!
//! `rust-peers simple_clustering_slic|simple_clustering_snic|superpixel N LIST OUT_DIR|- REPEATS`

use std::error::Error;
use std::path::Path;
use std::time::Instant;

type Labels = Result<Vec<u32>, Box<dyn Error>>;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [method, n, list, out, repeats] = args.as_slice() else {
        return Err("usage: rust-peers METHOD N LIST OUT_DIR|- REPEATS".into());
    };
    let (n, repeats): (u32, usize) = (n.parse()?, repeats.parse()?);
    let (mut wall, mut cpu) = (Vec::new(), Vec::new());
    for path in std::fs::read_to_string(list)?.lines() {
        let rgb = image::open(path)?.to_rgb8();
        let (width, height) = rgb.dimensions();
        let mut labels = Vec::new();
        let (mut walls, mut cpus) = (Vec::new(), Vec::new());
        for _ in 0..repeats.max(1) {
            let (start, before) = (Instant::now(), cpu_milliseconds());
            labels = segment(method, n, (width, height), rgb.as_raw())?;
            walls.push(start.elapsed().as_secs_f64() * 1e3);
            cpus.push(cpu_milliseconds() - before);
        }
        wall.push(median(walls));
        cpu.push(median(cpus));
        if out != "-" {
            let labels = labels.iter().map(|&l| l as u16).collect();
            let image = image::ImageBuffer::<image::Luma<u16>, Vec<u16>>::from_raw(width, height, labels);
            let name = Path::new(path).with_extension("png");
            image.ok_or("size")?.save(Path::new(out).join(name.file_name().unwrap_or_default()))?;
        }
    }
    println!("{{\"wall_ms\": {:.3}, \"cpu_ms\": {:.3}}}", median(wall), median(cpu));
    Ok(())
}

fn segment(method: &str, n: u32, (width, height): (u32, u32), rgb: &[u8]) -> Labels {
    let narrow = |labels: Vec<usize>| labels.into_iter().map(|l| l as u32).collect();
    match method {
        "simple_clustering_slic" => simple_clustering::slic_from_bytes(n, 10, width, height, Some(10), rgb)
            .map(narrow)
            .map_err(|e| format!("{e:?}").into()),
        "simple_clustering_snic" => simple_clustering::snic_from_bytes(n, 10, width, height, rgb)
            .map(narrow)
            .map_err(|e| format!("{e:?}").into()),
        "superpixel" => {
            let image = image019::RgbImage::from_raw(width, height, rgb.to_vec()).ok_or("size")?;
            let mut lab = Vec::new();
            lab.resize_with(rgb.len() / 3, superpixel::LABColor::default);
            superpixel::rgb_to_lab_image(&image, &mut lab);
            let mut labels: Vec<i32> = Vec::new();
            superpixel::do_segmentation_with_num_superpixels(
                &image, &mut lab, width, height, &mut labels, n, 10.0, 10,
            );
            Ok(labels.into_iter().map(|l| l as u32).collect())
        }
        other => Err(format!("unknown method {other}").into()),
    }
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
