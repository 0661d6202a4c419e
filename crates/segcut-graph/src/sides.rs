//! Label map → which regions lie at which side of the frame.

use segcut_core::{FeatureBlock, LabelMap, VOID};
use std::ops::Range;

/// The name of the block that [`sides`] makes.
pub const SIDES: &str = "sides";

/// Width of the band along the frame on an image whose longer side is [`REFERENCE_SIDE`].
const BAND: f64 = 8.0;
const REFERENCE_SIDE: f64 = 400.0;

/// Label map → block [`SIDES`], n×4: 1 where the region has a pixel in the band along the top, bottom, left and right of
/// the frame, else 0.
///
/// The band is 8 pixels wide on an image of 400, and grows with it (Zhu et al. 2014 take 8 to 30 pixels). The frame is
/// that of the pixels that are not VOID, so that a margin outside the valid mask counts as if it were cut off.
///
/// # Examples
/// ```
/// let labels = segcut_core::LabelMap::new(3, 3, vec![0, 0, 0, 0, 1, 2, 0, 0, 0])?;
/// let sides = segcut_graph::sides(&labels);
/// assert_eq!((sides.row(0), sides.row(1), sides.row(2)), (&[1.0; 4][..], &[0.0; 4][..], &[0.0, 0.0, 0.0, 1.0][..]));
/// # Ok::<(), segcut_core::LabelMapError>(())
/// ```
pub fn sides(labels: &LabelMap) -> FeatureBlock {
    let mut values = vec![0.0; 4 * labels.n()];
    let (height, width) = (labels.height(), labels.width());
    let [rows, columns] = valid_frame(labels);
    let wide = (BAND * height.max(width) as f64 / REFERENCE_SIDE).round().max(1.0) as usize;
    // A band is at most a third of the frame, so that small images have a middle.
    let wide = |side: &Range<usize>| wide.min(side.len() / 3).max(1);
    let (tall, broad) = (wide(&rows), wide(&columns));
    for y in rows.clone() {
        for x in columns.clone() {
            let at_side =
                [y < rows.start + tall, y + tall >= rows.end, x < columns.start + broad, x + broad >= columns.end];
            let label = labels.labels()[y * width + x];
            if label != VOID && at_side.contains(&true) {
                let row = &mut values[4 * label as usize..][..4];
                row.iter_mut().zip(at_side).filter(|(_, at)| *at).for_each(|(value, _)| *value = 1.0);
            }
        }
    }
    FeatureBlock { name: SIDES.to_owned(), dims: 4, values, bins: Vec::new() }
}

/// Rows and columns of the smallest box that holds all labelled pixels; empty where there is none.
fn valid_frame(labels: &LabelMap) -> [Range<usize>; 2] {
    let width = labels.width().max(1);
    let lines = labels.labels().chunks_exact(width);
    let inside = |label: &u32| *label != VOID;
    let mut frame: Option<[Range<usize>; 2]> = None;
    for (y, line) in lines.enumerate() {
        let (Some(first), Some(last)) = (line.iter().position(inside), line.iter().rposition(inside)) else { continue };
        let [rows, columns] = frame.unwrap_or([y..y, first..last]);
        frame = Some([rows.start..y + 1, columns.start.min(first)..columns.end.max(last + 1)]);
    }
    frame.unwrap_or([0..0, 0..0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_void_margin_is_cut_off() {
        let pixels = vec![VOID, VOID, VOID, VOID, VOID, 0, 1, 2, VOID, 3, 4, 5, VOID, 6, 7, 8];
        let block = sides(&LabelMap::new(4, 4, pixels).unwrap());
        let row = |region| block.row(region).iter().map(|v| *v as u8).collect::<Vec<_>>();
        assert_eq!((row(0), row(4), row(8)), (vec![1, 0, 1, 0], vec![0; 4], vec![0, 1, 0, 1]));
    }

    #[test]
    fn one_pixel_is_at_every_side_and_void_at_none() {
        assert_eq!(sides(&LabelMap::new(1, 1, vec![0]).unwrap()).values, [1.0; 4]);
        assert_eq!(sides(&LabelMap::new(2, 2, vec![VOID; 4]).unwrap()).values, [0.0; 0]);
    }
}
