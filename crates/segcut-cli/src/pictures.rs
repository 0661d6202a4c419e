//! Labels over their image, as people look at them.

use segcut_core::{Image, LabelMap, SizeMismatch};
use segcut_io::decode::{self, DecodeOptions};
use segcut_io::overlay::{Fill, Picture, RegionStyle, draw_boundaries, draw_regions};
use std::path::Path;

const CONTOUR: [u8; 3] = [255, 255, 0];

/// Regions tinted, with their contours.
pub fn overlay(image: &Image, labels: &LabelMap) -> Result<Picture, SizeMismatch> {
    let mut picture = Picture::from_image(image);
    let style = RegionStyle { fill: Fill::Palette, alpha: 0.3, contour: Some(CONTOUR) };
    draw_regions(&mut picture, labels, &style)?;
    Ok(picture)
}

/// The image with the borders of its regions.
pub fn borders(image: &Image, labels: &LabelMap) -> Result<Picture, SizeMismatch> {
    let mut picture = Picture::from_image(image);
    draw_boundaries(&mut picture, labels, CONTOUR)?;
    Ok(picture)
}

/// A picture file (or image) made small; none where it cannot be read.
pub fn thumbnail(path: &Path, max_side: usize, options: &DecodeOptions) -> Option<Picture> {
    let decoded = decode::open(path, options).ok()?;
    Some(Picture::from_image(&decoded.image).thumbnail(max_side))
}
