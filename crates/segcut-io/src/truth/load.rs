//! Truth entry → regions, mask or classes.

use super::mat::{MatAnnotation, Numbers, read_bsds_mat};
use super::{TruthEntry, TruthError, TruthFolder};
use crate::dataset::Task;
use crate::file_error::read_capped;
use crate::labels::{LabelsError, Raster, labels_of_raster, read_mask, read_raster};
use segcut_core::{LabelMap, Mask, SizeMismatch, VOID};
use std::path::Path;

/// The ground truth of an image of BSDS500 takes 50 kB.
const MAX_MAT_BYTES: u64 = 64 << 20;

/// What one person drew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// Regions, numbered from 0 without gaps in the order of their first pixel; ignored pixels are VOID.
    pub labels: LabelMap,
    /// Thin boundaries as stored beside the regions, where they are.
    pub boundaries: Option<Mask>,
}

/// What people say about an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Truth {
    /// Regions without meaning.
    Regions {
        /// One or more people; all of one size.
        annotators: Vec<Annotation>,
    },
    /// One object against the rest.
    Mask {
        /// The object.
        mask: Mask,
        /// The pixels that count, where some do not.
        valid: Option<Mask>,
    },
    /// Class numbers as stored; ignored pixels are VOID.
    Semantic(LabelMap),
}

impl Truth {
    /// Rows and columns.
    pub fn size(&self) -> (usize, usize) {
        match self {
            Self::Regions { annotators } => {
                annotators.first().map_or((0, 0), |a| (a.labels.height(), a.labels.width()))
            }
            Self::Mask { mask, .. } => (mask.height(), mask.width()),
            Self::Semantic(labels) => (labels.height(), labels.width()),
        }
    }

    /// Whether a prediction has the same size; nothing is ever resized to fit.
    ///
    /// # Errors
    /// [`SizeMismatch`] with the prediction's size on the left.
    pub fn check_size(&self, height: usize, width: usize) -> Result<(), SizeMismatch> {
        same_size((height, width), self.size())
    }
}

fn same_size(left: (usize, usize), right: (usize, usize)) -> Result<(), SizeMismatch> {
    if left == right {
        return Ok(());
    }
    Err(SizeMismatch { left_height: left.0, left_width: left.1, right_height: right.0, right_width: right.1 })
}

pub(super) fn load(folder: &TruthFolder, entry: &TruthEntry) -> Result<Truth, TruthError> {
    let [file] = &entry.files[..] else { return load_annotators(folder, entry) };
    if file.extension().is_some_and(|e| e.eq_ignore_ascii_case("mat")) {
        return load_mat(file);
    }
    let options = &folder.options;
    let raster = match options.task {
        Some(Task::Mask) => return load_mask(folder, file),
        _ => match read_raster(file, &options.labels) {
            Err(LabelsError::Color { .. }) if options.task.is_none() => return load_mask(folder, file),
            raster => raster?,
        },
    };
    match options.task {
        Some(Task::Semantic) => Ok(Truth::Semantic(label_map(file, &raster, options.ignore_label)?)),
        None if !entry.annotators && folder.boundaries.is_none() && raster.is_black_and_white() => {
            load_mask(folder, file)
        }
        _ => load_annotators(folder, entry),
    }
}

fn load_annotators(folder: &TruthFolder, entry: &TruthEntry) -> Result<Truth, TruthError> {
    let mut annotators: Vec<Annotation> = Vec::with_capacity(entry.files.len());
    for file in &entry.files {
        let options = &folder.options;
        let labels = label_map(file, &read_raster(file, &options.labels)?, options.ignore_label)?.compact();
        let boundaries = stored_boundaries(folder, file)?;
        let size = |map: &LabelMap| (map.height(), map.width());
        let first = annotators.first().map_or_else(|| size(&labels), |a| size(&a.labels));
        let sizes = boundaries.iter().map(|mask| (mask.height(), mask.width())).chain([size(&labels)]);
        for found in sizes {
            same_size(found, first).map_err(|source| TruthError::Sizes { file: file.clone(), source })?;
        }
        annotators.push(Annotation { labels, boundaries });
    }
    Ok(Truth::Regions { annotators })
}

fn stored_boundaries(folder: &TruthFolder, file: &Path) -> Result<Option<Mask>, TruthError> {
    let Some(boundaries) = &folder.boundaries else { return Ok(None) };
    let stored = boundaries.join(file.strip_prefix(&folder.folder).unwrap_or(file)).with_extension("png");
    if !stored.is_file() {
        return Ok(None);
    }
    Ok(Some(read_mask(&stored, 127, &folder.options.labels)?))
}

fn load_mask(folder: &TruthFolder, file: &Path) -> Result<Truth, TruthError> {
    let options = &folder.options;
    let mask = read_mask(file, options.fg_above.unwrap_or(127), &options.labels)?;
    let Some(ignore) = options.ignore_label else { return Ok(Truth::Mask { mask, valid: None }) };
    let bits = read_raster(file, &options.labels)?.to_u32().into_iter().map(|value| value != ignore).collect();
    let valid = Mask::new(mask.height(), mask.width(), bits)
        .map_err(|source| TruthError::Sizes { file: file.into(), source })?;
    Ok(Truth::Mask { mask, valid: Some(valid) })
}

/// The stored numbers, the ignored one and the void of the file's depth as VOID.
fn label_map(file: &Path, raster: &Raster, ignore: Option<u32>) -> Result<LabelMap, TruthError> {
    let damaged = |e| LabelsError::Damaged { file: file.to_path_buf(), source: Box::new(e) };
    let labels = labels_of_raster(raster, 0).map_err(damaged)?;
    let Some(ignore) = ignore else { return Ok(labels) };
    let (height, width) = (labels.height(), labels.width());
    let values = labels.into_labels().into_iter().map(|label| if label == ignore { VOID } else { label }).collect();
    Ok(LabelMap::new(height, width, values).map_err(damaged)?)
}

fn load_mat(file: &Path) -> Result<Truth, TruthError> {
    let bytes = read_capped(file, MAX_MAT_BYTES)?;
    let stored = read_bsds_mat(&bytes).map_err(|source| TruthError::Mat { file: file.to_path_buf(), source })?;
    let mut annotators = Vec::with_capacity(stored.len());
    let first = stored.first().map_or((0, 0), |a| (a.segmentation.rows, a.segmentation.columns));
    for MatAnnotation { segmentation, boundaries } in stored {
        for numbers in [Some(&segmentation), boundaries.as_ref()].into_iter().flatten() {
            same_size((numbers.rows, numbers.columns), first)
                .map_err(|source| TruthError::Sizes { file: file.to_path_buf(), source })?;
        }
        annotators.push(mat_annotation(file, segmentation, boundaries)?);
    }
    Ok(Truth::Regions { annotators })
}

fn mat_annotation(file: &Path, regions: Numbers, boundaries: Option<Numbers>) -> Result<Annotation, TruthError> {
    let labels = LabelMap::new(regions.rows, regions.columns, regions.values)
        .map_err(|e| LabelsError::Damaged { file: file.to_path_buf(), source: Box::new(e) })?;
    let mask = |n: Numbers| Mask::new(n.rows, n.columns, n.values.into_iter().map(|v| v != 0).collect());
    let boundaries =
        boundaries.map(mask).transpose().map_err(|source| TruthError::Sizes { file: file.to_path_buf(), source })?;
    Ok(Annotation { labels: labels.compact(), boundaries })
}
