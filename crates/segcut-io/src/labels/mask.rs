//! Masks ↔ 8-bit PNG of 0 and 255.

use super::raster::{Colors, RasterValues, read_raster_with};
use super::read::damaged;
use super::{LabelOptions, LabelsError};
use crate::atomic;
use crate::png_rows::{PngFormat, write_png};
use png::{BitDepth, ColorType};
use segcut_core::Mask;
use std::io::{self, Write};
use std::path::Path;

/// Writes a mask as an 8-bit gray PNG, 255 inside, whole or not at all.
///
/// # Errors
/// [`LabelsError::Write`].
pub fn write_mask(file: &Path, mask: &Mask) -> Result<(), LabelsError> {
    atomic::write_with(file, |out| write_mask_png(out, mask))?;
    Ok(())
}

/// The bytes that [`write_mask`] puts into a file.
///
/// # Errors
/// What the encoder says, for example of a mask without pixels.
pub fn mask_png(mask: &Mask) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    write_mask_png(&mut bytes, mask)?;
    Ok(bytes)
}

fn write_mask_png<W: Write>(out: W, mask: &Mask) -> io::Result<()> {
    let (height, width) = (mask.height(), mask.width());
    let format = PngFormat { height, width, color: ColorType::Grayscale, depth: BitDepth::Eight, palette: None };
    write_png(out, &format, |row, bytes| {
        for (byte, &inside) in bytes.iter_mut().zip(&mask.bits()[row * width..]) {
            *byte = if inside { u8::MAX } else { 0 };
        }
    })
}

/// Reads a mask: inside is where the stored value, on the scale 0 to 255, is above `fg_above` (127 as a rule).
///
/// 1-, 2- and 4-bit and 16-bit gray files are scaled to 0 to 255 first; indexed files are compared by index,
/// and 0/1 masks so stored need `fg_above` = 0. RGB files are taken where their channels are equal.
///
/// # Errors
/// [`LabelsError`] that names the file.
///
/// ```
/// use segcut_core::Mask;
/// use segcut_io::labels::{LabelOptions, read_mask, write_mask};
/// let dir = tempfile::tempdir()?;
/// let file = dir.path().join("a.png");
/// let mask = Mask::new(1, 3, vec![true, false, true])?;
/// write_mask(&file, &mask)?;
/// assert_eq!(read_mask(&file, 127, &LabelOptions::default())?, mask);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_mask(file: &Path, fg_above: u8, options: &LabelOptions) -> Result<Mask, LabelsError> {
    let raster = read_raster_with(file, options, Colors::GrayWhereEqual)?;
    let threshold = u64::from(fg_above) * u64::from(raster.largest());
    let inside = |value: u32| u64::from(value) * 255 > threshold;
    let bits = match &raster.values {
        RasterValues::U8(v) => v.iter().map(|&x| inside(x.into())).collect(),
        RasterValues::U16(v) => v.iter().map(|&x| inside(x.into())).collect(),
        RasterValues::U32(v) => v.iter().map(|&x| inside(x)).collect(),
    };
    Mask::new(raster.height, raster.width, bits).map_err(|e| damaged(file, e))
}
