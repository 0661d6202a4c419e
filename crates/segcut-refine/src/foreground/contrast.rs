//! Color contrast to the probable background.

use crate::region_table::{RegionTable, color_distance};

/// σ of the distance in space, positions relative to height and width (Zhu et al. 2014, section 4.1).
const SIGMA_SPACE: f64 = 0.25;

/// Background-weighted contrast of every region (0 for labels without pixels).
///
/// Zhu et al. 2014, section 4.1: Σ over other regions of color distance · exp(−d²/2σ²) · background probability, here
/// weighted by the other region's share of the area besides, since regions differ in size.
pub(super) fn contrast(table: &RegionTable, background: &[f64], size: [f64; 2]) -> Vec<f64> {
    let total: f64 = table.area.iter().sum();
    let present: Vec<usize> = (0..table.area.len()).filter(|&region| table.area[region] > 0.0).collect();
    let mut contrast = vec![0.0; table.area.len()];
    for &p in &present {
        let [y, x] = table.centroid(p);
        let others = present.iter().filter(|&&i| i != p).map(|&i| {
            let [other_y, other_x] = table.centroid(i);
            let (dy, dx) = ((y - other_y) / size[0], (x - other_x) / size[1]);
            let near = (-(dy * dy + dx * dx) / (2.0 * SIGMA_SPACE * SIGMA_SPACE)).exp();
            color_distance(table.color(p), table.color(i)) * near * background[i] * table.area[i] / total
        });
        contrast[p] = others.sum();
    }
    contrast
}
