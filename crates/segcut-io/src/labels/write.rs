//! Label map → PNG or TIFF.

use super::voc_palette::voc_palette;
use super::{LabelOptions, LabelsError};
use crate::atomic;
use crate::png_rows::{PngFormat, write_png};
use png::{BitDepth, ColorType};
use segcut_core::{LabelMap, VOID};
use std::io::{self, Write};
use std::path::Path;

/// The three forms of labels on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelFormat {
    /// 8-bit PNG with the VOC palette, 255 = void.
    Indexed8,
    /// 16-bit gray PNG, 65535 = void.
    Gray16,
    /// 32-bit gray TIFF, 4294967295 = void.
    Tiff32,
}

impl LabelFormat {
    /// The file extension without its dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Indexed8 | Self::Gray16 => "png",
            Self::Tiff32 => "tif",
        }
    }
}

/// The smallest form that holds n labels numbered from `start_label`.
///
/// ```
/// use segcut_io::labels::{LabelFormat, label_format};
/// assert_eq!(label_format(255, 0), LabelFormat::Indexed8);
/// assert_eq!(label_format(255, 1), LabelFormat::Gray16);
/// assert_eq!(label_format(65_536, 0), LabelFormat::Tiff32);
/// ```
pub fn label_format(n: usize, start_label: u32) -> LabelFormat {
    match n.saturating_add(start_label as usize) {
        0..=255 => LabelFormat::Indexed8,
        256..=65_535 => LabelFormat::Gray16,
        _ => LabelFormat::Tiff32,
    }
}

/// Writes labels in the smallest form that holds them, whole or not at all.
///
/// The name is taken as given; a label map of more than 65,535 regions is a TIFF by content whatever its name
/// ([`label_format`] tells before).
///
/// # Errors
/// [`LabelsError::Write`].
pub fn write_labels(file: &Path, labels: &LabelMap, options: &LabelOptions) -> Result<(), LabelsError> {
    atomic::write_with(file, |out| {
        let start = options.start_label;
        match label_format(labels.n(), start) {
            LabelFormat::Tiff32 => out.write_all(&tiff_bytes(labels, start)?),
            _ => write_label_png(out, labels, start),
        }
    })?;
    Ok(())
}

/// The bytes that [`write_labels`] puts into a file.
///
/// # Errors
/// What the encoder says, for example of a map without pixels.
///
/// ```
/// use segcut_core::LabelMap;
/// let bytes = segcut_io::labels::encode_labels(&LabelMap::new(1, 2, vec![0, 1])?, 0)?;
/// assert_eq!(&bytes[1..4], b"PNG");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn encode_labels(labels: &LabelMap, start_label: u32) -> io::Result<Vec<u8>> {
    if label_format(labels.n(), start_label) == LabelFormat::Tiff32 {
        return tiff_bytes(labels, start_label);
    }
    let mut bytes = Vec::new();
    write_label_png(&mut bytes, labels, start_label)?;
    Ok(bytes)
}

fn write_label_png<W: Write>(out: W, labels: &LabelMap, start: u32) -> io::Result<()> {
    let (height, width) = (labels.height(), labels.width());
    let row_of = |row: usize| &labels.labels()[row * width..][..width];
    if label_format(labels.n(), start) == LabelFormat::Indexed8 {
        let palette = voc_palette();
        let format =
            PngFormat { height, width, color: ColorType::Indexed, depth: BitDepth::Eight, palette: Some(&palette) };
        return write_png(out, &format, |row, bytes| {
            for (byte, &label) in bytes.iter_mut().zip(row_of(row)) {
                *byte = if label == VOID { u8::MAX } else { (label + start) as u8 };
            }
        });
    }
    let format = PngFormat { height, width, color: ColorType::Grayscale, depth: BitDepth::Sixteen, palette: None };
    write_png(out, &format, |row, bytes| {
        for (pair, &label) in bytes.as_chunks_mut::<2>().0.iter_mut().zip(row_of(row)) {
            *pair = (if label == VOID { u16::MAX } else { (label + start) as u16 }).to_be_bytes();
        }
    })
}

fn tiff_bytes(labels: &LabelMap, start: u32) -> io::Result<Vec<u8>> {
    let side = |n: usize| u32::try_from(n).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput));
    let (height, width) = (side(labels.height())?, side(labels.width())?);
    let values: Vec<u32> = labels.labels().iter().map(|&l| if l == VOID { VOID } else { l + start }).collect();
    let mut out = io::Cursor::new(Vec::new());
    let compression = tiff::encoder::Compression::Deflate(tiff::encoder::DeflateLevel::Fast);
    tiff::encoder::TiffEncoder::new(&mut out)
        .map(|encoder| encoder.with_compression(compression).with_predictor(tiff::encoder::Predictor::Horizontal))
        .and_then(|mut encoder| encoder.write_image::<tiff::encoder::colortype::Gray32>(width, height, &values))
        .map_err(io::Error::other)?;
    Ok(out.into_inner())
}
