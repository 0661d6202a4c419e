//! A segmentation into foreground and background → its soft map.

use crate::{Prepared, Segmentation};
use segcut_core::{LabelMap, VOID};
use segcut_pixel::{Gaussian, RowShape, enlarge_labels};

/// Steepness of the sigmoid round the level.
const STEEPNESS: f64 = 12.0;

/// Standard deviation of the blur of the mask, in pixels of the working size.
const BLUR: f64 = 1.5;

/// How much every pixel belongs to the foreground, 0 to 1, at the size of the image; none where the clusterer made no
/// soft choice between two clusters.
///
/// The mean of two maps: the memberships of the superpixels through a sigmoid round the level at which the clusterer split
/// them, and the final mask after a Gaussian blur. The first ranks what the mask leaves open, the second has the
/// mask's outlines. VOID pixels have 0.
///
/// # Shapes
/// H·W values, row-major.
pub fn soft_foreground(prepared: &Prepared<'_>, done: &Segmentation) -> Option<Vec<f32>> {
    let soft = done.clustering.soft.as_ref().filter(|soft| soft.ncols() == 2)?;
    let (height, width) = (done.labels.height(), done.labels.width());
    let superpixels = enlarge_labels(prepared.superpixels(), height, width).ok()?;
    let level = level(soft.column(1).iter().copied(), done.clustering.partition.labels());
    let node: Vec<f32> = soft.column(1).iter().map(|x| sigmoid(STEEPNESS * (x - level)) as f32).collect();
    let scale = height.max(width) as f64 / prepared.superpixels().height().max(prepared.superpixels().width()) as f64;
    let mask = blurred(&done.labels, BLUR * scale)?;
    let value = |(&region, mask): (&u32, f32)| match region {
        VOID => 0.0,
        region => (0.5 * node[region as usize] + 0.5 * mask).clamp(0.0, 1.0),
    };
    Some(superpixels.labels().iter().zip(mask).map(value).collect())
}

/// Half way between the highest membership of the background and the lowest of the foreground.
fn level(memberships: impl Iterator<Item = f64>, labels: &[u32]) -> f64 {
    let (mut below, mut above) = (0.0f64, 1.0f64);
    for (x, &label) in memberships.zip(labels) {
        if label > 0 {
            above = above.min(x);
        } else {
            below = below.max(x);
        }
    }
    (below + above) / 2.0
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn blurred(labels: &LabelMap, sigma: f64) -> Option<Vec<f32>> {
    let bits: Vec<f32> = labels.labels().iter().map(|&l| f32::from(u8::from(l > 0 && l != VOID))).collect();
    let shape = RowShape { height: labels.height(), width: labels.width(), channels: 1 };
    Some(Gaussian::new(sigma.min(1000.0)).ok()?.blur(&bits, shape))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_lies_between_the_classes() {
        assert_eq!(level([0.1, 0.4, 0.8].into_iter(), &[0, 0, 1]), 0.6000000000000001);
        assert_eq!(level([0.0, 0.0].into_iter(), &[0, 0]), 0.5);
    }
}
