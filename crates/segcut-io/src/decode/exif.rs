//! The orientation in an EXIF block.

use image::metadata::Orientation;

/// 1 to 8 from a TIFF-shaped EXIF block (with or without its `Exif\0\0` prefix); 1 where it says nothing valid.
pub(super) fn orientation(block: &[u8]) -> u8 {
    let block = block.strip_prefix(b"Exif\0\0").unwrap_or(block);
    Orientation::from_exif_chunk(block).map_or(1, Orientation::to_exif)
}
