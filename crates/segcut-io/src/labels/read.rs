//! PNG or TIFF → label map.

use super::{LabelOptions, LabelsError, Raster, read_raster};
use segcut_core::{LabelMap, VOID};
use std::path::Path;

/// Reads a label map. The largest value of an 8-, 16- or 32-bit file is void; in fewer bits every value is a
/// label.
///
/// # Errors
/// [`LabelsError`] that names the file; colors are an error that says so.
///
/// ```
/// use segcut_core::{LabelMap, VOID};
/// use segcut_io::labels::{LabelOptions, read_labels, write_labels};
/// let dir = tempfile::tempdir()?;
/// let file = dir.path().join("a.png");
/// let labels = LabelMap::new(2, 2, vec![0, 1, VOID, 300])?;
/// write_labels(&file, &labels, &LabelOptions::default())?;
/// assert_eq!(read_labels(&file, &LabelOptions::default())?, labels);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_labels(file: &Path, options: &LabelOptions) -> Result<LabelMap, LabelsError> {
    let raster = read_raster(file, options)?;
    labels_of_raster(&raster, options.start_label).map_err(|e| damaged(file, e))
}

/// The stored numbers as labels, as [`read_labels`] takes them.
///
/// # Errors
/// [`segcut_core::LabelMapError`] where the raster has a wrong number of values.
pub fn labels_of_raster(raster: &Raster, start_label: u32) -> Result<LabelMap, segcut_core::LabelMapError> {
    let void = if raster.bits < 8 { VOID } else { raster.largest() };
    let mut values = raster.to_u32();
    for value in &mut values {
        *value = if *value == void { VOID } else { value.checked_sub(start_label).unwrap_or(VOID) };
    }
    LabelMap::new(raster.height, raster.width, values)
}

pub(crate) fn damaged<E>(file: &Path, error: E) -> LabelsError
where
    E: std::error::Error + Send + Sync + 'static,
{
    LabelsError::Damaged { file: file.to_path_buf(), source: Box::new(error) }
}
