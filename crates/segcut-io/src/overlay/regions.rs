//! Labels and masks drawn over a picture.

use super::{Picture, region_color};
use segcut_core::{LabelMap, Mask, SizeMismatch, VOID};

/// The color that fills a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// Nothing.
    None,
    /// The mean color of the picture within the region.
    Mean,
    /// A color of its own ([`region_color`]).
    Palette,
}

/// How regions are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RegionStyle {
    /// The color that fills a region.
    pub fill: Fill,
    /// The share of that color, 0 to 1.
    pub alpha: f32,
    /// The color of the line between regions.
    pub contour: Option<[u8; 3]>,
}

/// Yellow, as in scikit-image's `mark_boundaries`.
const CONTOUR: [u8; 3] = [255, 255, 0];

impl Default for RegionStyle {
    /// 30 % palette color and a yellow line, as in scikit-image's `label2rgb` and `mark_boundaries`.
    fn default() -> Self {
        Self { fill: Fill::Palette, alpha: 0.3, contour: Some(CONTOUR) }
    }
}

/// Draws regions over a picture: a fill, and a line of one pixel where a pixel's right or lower neighbour has
/// another label. VOID pixels keep the picture, or its checkerboard.
///
/// # Errors
/// [`SizeMismatch`].
///
/// ```
/// use segcut_core::LabelMap;
/// use segcut_io::overlay::{Picture, RegionStyle, draw_regions};
/// let mut picture = Picture::filled(1, 3, [100; 3]);
/// let labels = LabelMap::new(1, 3, vec![0, 0, 1])?;
/// draw_regions(&mut picture, &labels, &RegionStyle::default())?;
/// assert_eq!(picture.rgb()[3..6], [255, 255, 0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn draw_regions(picture: &mut Picture, labels: &LabelMap, style: &RegionStyle) -> Result<(), SizeMismatch> {
    check_size(picture, labels.height(), labels.width())?;
    let share = share_of(style.alpha);
    match style.fill {
        Fill::None => {}
        Fill::Mean => fill(picture, labels, &mean_colors(picture, labels), share),
        Fill::Palette => {
            let colors: Vec<[u8; 3]> = (0..labels.n() as u32).map(region_color).collect();
            fill(picture, labels, &colors, share);
        }
    }
    if let Some(color) = style.contour {
        draw_contours(picture, labels, color);
    }
    Ok(())
}

/// Draws the lines between regions alone, for superpixels.
///
/// # Errors
/// [`SizeMismatch`].
pub fn draw_boundaries(picture: &mut Picture, labels: &LabelMap, color: [u8; 3]) -> Result<(), SizeMismatch> {
    draw_regions(picture, labels, &RegionStyle { fill: Fill::None, alpha: 0.0, contour: Some(color) })
}

/// Tints the inside of a mask with a share `alpha` of a color and draws its outline.
///
/// # Errors
/// [`SizeMismatch`].
pub fn draw_mask(picture: &mut Picture, mask: &Mask, color: [u8; 3], alpha: f32) -> Result<(), SizeMismatch> {
    check_size(picture, mask.height(), mask.width())?;
    let share = share_of(alpha);
    for (pixel, &inside) in picture.pixels_mut().iter_mut().zip(mask.bits()) {
        if inside {
            *pixel = blend(*pixel, color, share);
        }
    }
    outline(picture, mask.bits(), color);
    Ok(())
}

fn check_size(picture: &Picture, height: usize, width: usize) -> Result<(), SizeMismatch> {
    if (picture.height, picture.width) == (height, width) {
        return Ok(());
    }
    let (left_height, left_width) = (picture.height, picture.width);
    Err(SizeMismatch { left_height, left_width, right_height: height, right_width: width })
}

/// A share as 256ths.
fn share_of(alpha: f32) -> u16 {
    (alpha.clamp(0.0, 1.0) * 256.0) as u16
}

#[inline]
fn blend(below: [u8; 3], above: [u8; 3], share: u16) -> [u8; 3] {
    std::array::from_fn(|c| {
        ((u32::from(below[c]) * u32::from(256 - share) + u32::from(above[c]) * u32::from(share)) >> 8) as u8
    })
}

fn fill(picture: &mut Picture, labels: &LabelMap, colors: &[[u8; 3]], share: u16) {
    for (pixel, &label) in picture.pixels_mut().iter_mut().zip(labels.labels()) {
        if label != VOID {
            *pixel = blend(*pixel, colors[label as usize], share);
        }
    }
}

fn mean_colors(picture: &Picture, labels: &LabelMap) -> Vec<[u8; 3]> {
    let mut sums = vec![[0u64; 4]; labels.n()];
    for (pixel, &label) in picture.rgb.as_chunks::<3>().0.iter().zip(labels.labels()) {
        if label != VOID {
            let sum = &mut sums[label as usize];
            *sum =
                [sum[0] + u64::from(pixel[0]), sum[1] + u64::from(pixel[1]), sum[2] + u64::from(pixel[2]), sum[3] + 1];
        }
    }
    let mean = |[r, g, b, count]: [u64; 4]| [r, g, b].map(|sum| sum.checked_div(count).unwrap_or(0) as u8);
    sums.into_iter().map(mean).collect()
}

fn draw_contours(picture: &mut Picture, labels: &LabelMap, color: [u8; 3]) {
    outline(picture, labels.labels(), color);
}

/// Colors every pixel whose right or lower neighbour differs.
fn outline<T: Copy + PartialEq>(picture: &mut Picture, values: &[T], color: [u8; 3]) {
    let width = picture.width;
    if width == 0 {
        return;
    }
    let rows = picture.rgb.as_chunks_mut::<3>().0.chunks_exact_mut(width).zip(values.chunks_exact(width));
    for (row, (pixels, here)) in rows.enumerate() {
        let below = values.get((row + 1) * width..(row + 2) * width).unwrap_or(here);
        let right = here[1..].iter().chain(&here[width - 1..]);
        for (((pixel, value), below), right) in pixels.iter_mut().zip(here).zip(below).zip(right) {
            if value != below || value != right {
                *pixel = color;
            }
        }
    }
}
