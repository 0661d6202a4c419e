//! Fields of numbers in 0 to 1 ↔ 16-bit gray PNG.

use super::raster::{Colors, RasterValues, read_raster_with};
use super::{LabelOptions, LabelsError};
use crate::png_rows::{PngFormat, write_png};
use crate::{ScalarField, atomic};
use png::{BitDepth, ColorType};
use std::io::{self, Write};
use std::path::Path;

/// Writes a field as a 16-bit gray PNG, 0 to 1 as 0 to 65535, whole or not at all: soft masks, and ultrametric
/// contour maps.
///
/// # Errors
/// [`LabelsError::FieldRange`] for a value outside 0 to 1; [`LabelsError::Write`].
pub fn write_field(file: &Path, field: &ScalarField) -> Result<(), LabelsError> {
    if let Some(at) = field.values().iter().position(|v| !(0.0..=1.0).contains(v)) {
        let (row, column) = (at / field.width(), at % field.width());
        return Err(LabelsError::FieldRange { file: file.to_path_buf(), value: field.values()[at], row, column });
    }
    atomic::write_with(file, |out| write_field_png(out, field))?;
    Ok(())
}

/// The bytes that [`write_field`] puts into a file; values outside 0 to 1 are clamped.
///
/// # Errors
/// What the encoder says, for example of a field without pixels.
pub fn field_png(field: &ScalarField) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    write_field_png(&mut bytes, field)?;
    Ok(bytes)
}

fn write_field_png<W: Write>(out: W, field: &ScalarField) -> io::Result<()> {
    let (height, width) = (field.height(), field.width());
    let format = PngFormat { height, width, color: ColorType::Grayscale, depth: BitDepth::Sixteen, palette: None };
    write_png(out, &format, |row, bytes| {
        for (pair, &value) in bytes.as_chunks_mut::<2>().0.iter_mut().zip(&field.values()[row * width..]) {
            *pair = ((value * 65_535.0).round() as u16).to_be_bytes();
        }
    })
}

/// Reads a gray PNG or TIFF as numbers from 0 to 1 (the stored value over the largest of its depth).
///
/// # Errors
/// [`LabelsError`] that names the file.
///
/// ```
/// use segcut_io::ScalarField;
/// use segcut_io::labels::{LabelOptions, read_field, write_field};
/// let dir = tempfile::tempdir()?;
/// let file = dir.path().join("ucm.png");
/// let field = ScalarField::new(1, 3, vec![0.0, 0.25, 1.0]).ok_or("size")?;
/// write_field(&file, &field)?;
/// let again = read_field(&file, &LabelOptions::default())?;
/// assert!((again.values()[1] - 0.25).abs() < 1e-5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_field(file: &Path, options: &LabelOptions) -> Result<ScalarField, LabelsError> {
    let raster = read_raster_with(file, options, Colors::GrayWhereEqual)?;
    let scale = 1.0 / f64::from(raster.largest());
    let unit = |value: u32| (f64::from(value) * scale) as f32;
    let values = match &raster.values {
        RasterValues::U8(v) => v.iter().map(|&x| unit(x.into())).collect(),
        RasterValues::U16(v) => v.iter().map(|&x| unit(x.into())).collect(),
        RasterValues::U32(v) => v.iter().map(|&x| unit(x)).collect(),
    };
    ScalarField::new(raster.height, raster.width, values).ok_or_else(|| LabelsError::Unrecognised { file: file.into() })
}
