//! Scores BSDS500: each annotator against the others, or label PNGs against all annotators.
//!
//! `cargo run --release -p segcut-eval --example humans -- BSDS500 SPLIT [LABELS [COUNT]]`, where BSDS500 holds
//! `groundTruth/SPLIT/ID/K.png` and `boundaries/SPLIT/ID/K.png`, and LABELS holds `ID.png` for the first COUNT images by name.
#![allow(clippy::print_stdout)]

use segcut_core::{LabelMap, Mask};
use segcut_eval::{
    Annotation, ImageScores, Sweep, score_boundaries, score_image, score_regions, score_superpixels, truth_pixels,
};
use std::error::Error;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, root, split, rest @ ..] = arguments.as_slice() else {
        return Err("usage: humans BSDS500 SPLIT [LABELS [COUNT]]".into());
    };
    let root = Path::new(root);
    let count = rest.get(1).map_or(Ok(usize::MAX), |count| count.parse())?;
    let mut all = Vec::new();
    let mut superpixels = [0.0; 4];
    for folder in sorted(&root.join("groundTruth").join(split))?.into_iter().take(count) {
        let id = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let truth = annotations(&folder, &root.join("boundaries").join(split).join(&id))?;
        if let Some(labels) = rest.first() {
            let prediction = label_map(&Path::new(labels).join(format!("{id}.png")))?;
            all.push(score_image(&prediction, &truth)?);
            let s = score_superpixels(&prediction, &truth)?;
            let values = [s.boundary_recall, s.undersegmentation_error, s.asa, s.compactness];
            superpixels.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        } else {
            all.extend(leave_one_out(&truth)?);
        }
    }
    if !rest.is_empty() {
        println!("recall, undersegmentation, asa, compactness {:.4?}", superpixels.map(|s| s / all.len() as f64));
    }
    report(all)
}

/// Every annotator, with the stored boundary, against the rest.
fn leave_one_out(truth: &[Annotation]) -> Result<Vec<ImageScores>> {
    let one = |index: usize| {
        let mut others = truth.to_vec();
        let human = others.remove(index);
        let labels: Vec<&LabelMap> = others.iter().map(Annotation::labels).collect();
        Ok(ImageScores {
            regions: score_regions(human.labels(), &labels)?,
            boundary: score_boundaries(human.labels(), human.boundary(), &others)?,
            region_count: human.labels().sizes().iter().filter(|&&size| size > 0).count(),
            annotators: others.len(),
            truth_pixels: truth_pixels(&labels),
        })
    };
    (0..truth.len()).map(one).collect()
}

fn report(all: Vec<ImageScores>) -> Result<()> {
    let mut sweep = Sweep::new(vec!["given".into()]);
    for image in all {
        sweep.add(vec![image])?;
    }
    let scores = sweep.scores().ok_or("no segmentation")?;
    println!("{}", serde_json::to_string_pretty(&scores.settings[0])?);
    Ok(())
}

fn annotations(labels: &Path, boundaries: &Path) -> Result<Vec<Annotation>> {
    let read = |file: PathBuf| {
        let stored = boundaries.join(file.file_name().unwrap_or_default());
        let map = label_map(&file)?;
        let (height, width, values) = gray(&stored)?;
        Ok(Annotation::with_boundary(map, Mask::new(height, width, values.iter().map(|&v| v > 0).collect())?)?)
    };
    sorted(labels)?.into_iter().map(read).collect()
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut entries = std::fs::read_dir(folder)?.map(|e| Ok(e?.path())).collect::<Result<Vec<_>>>()?;
    entries.sort();
    Ok(entries)
}

fn label_map(file: &Path) -> Result<LabelMap> {
    let (height, width, values) = gray(file)?;
    Ok(LabelMap::new(height, width, values)?)
}

/// A gray PNG of 1, 8 or 16 bits, values as stored (1 bit: 0 or 255).
fn gray(file: &Path) -> Result<(usize, usize, Vec<u32>)> {
    let mut decoder = png::Decoder::new(BufReader::new(File::open(file)?));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info()?;
    let mut buffer = vec![0; reader.output_buffer_size().ok_or("too large")?];
    let info = reader.next_frame(&mut buffer)?;
    let values = match info.bit_depth {
        png::BitDepth::Sixteen => buffer.chunks_exact(2).map(|b| u32::from(u16::from_be_bytes([b[0], b[1]]))).collect(),
        _ => buffer.iter().map(|&b| u32::from(b)).collect(),
    };
    Ok((info.height as usize, info.width as usize, values))
}
