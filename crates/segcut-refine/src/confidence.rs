//! A foreground mask and the soft map that it came from → how far it can be trusted.

use segcut_core::{Clustering, LabelMap, VOID};

/// Levels between which a trustworthy mask hardly changes.
const LEVELS: [f64; 2] = [0.35, 0.65];

/// Mask (labels 0 and above) → confidence from 0 to 1, from the image alone.
///
/// The mean of three numbers: the overlap (intersection over union) of the mask with the foreground that the clustering
/// chose; the difference of the mean foreground membership inside and outside the mask; and the overlap of the regions whose
/// membership reaches 0.35 with those whose membership reaches 0.65. It ranks masks; it is no
/// probability. None where the clustering is no soft choice between two clusters, or the maps differ in size.
///
/// An empty mask, and one that covers all, has confidence 0: there is nothing that it sets apart.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use segcut_core::{Clustering, LabelMap, Partition};
/// let superpixels = LabelMap::new(1, 4, vec![0, 0, 1, 1])?;
/// let sure = Clustering { soft: Some(array![[1.0, 0.0], [0.0, 1.0]]), ..Clustering::converged(Partition::new(vec![0, 1], 2)?) };
/// let mask = LabelMap::new(1, 4, vec![0, 0, 1, 1])?;
/// assert_eq!(segcut_refine::mask_confidence(&sure, &superpixels, &mask), Some(1.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn mask_confidence(clustering: &Clustering, superpixels: &LabelMap, mask: &LabelMap) -> Option<f64> {
    let soft = clustering.soft.as_ref().filter(|soft| soft.ncols() == 2 && soft.nrows() == superpixels.n())?;
    let partition = clustering.partition.labels();
    if (superpixels.height(), superpixels.width()) != (mask.height(), mask.width()) || partition.len() != soft.nrows() {
        return None;
    }
    let mut inside = vec![0u64; soft.nrows()];
    let mut outside = vec![0u64; soft.nrows()];
    for (&region, &label) in superpixels.labels().iter().zip(mask.labels()) {
        if region != VOID && label != VOID {
            let side = if label > 0 { &mut inside } else { &mut outside };
            side[region as usize] += 1;
        }
    }
    let mut sums = Sums::default();
    for (region, (&within, &without)) in inside.iter().zip(&outside).enumerate() {
        sums.add(soft[(region, 1)], partition[region] > 0, [within as f64, without as f64]);
    }
    Some(sums.confidence())
}

/// Sums over pixels.
#[derive(Default)]
struct Sums {
    /// Pixels inside and outside the mask, and their memberships.
    pixels: [f64; 2],
    memberships: [f64; 2],
    /// Intersection and union with what the clustering chose.
    chosen: [f64; 2],
    /// Pixels that reach the two levels.
    reach: [f64; 2],
}

impl Sums {
    fn add(&mut self, membership: f64, chosen: bool, pixels: [f64; 2]) {
        let all = pixels[0] + pixels[1];
        for side in 0..2 {
            self.pixels[side] += pixels[side];
            self.memberships[side] += membership * pixels[side];
            self.reach[side] += if membership >= LEVELS[side] { all } else { 0.0 };
        }
        self.chosen[0] += if chosen { pixels[0] } else { 0.0 };
        self.chosen[1] += if chosen { all } else { pixels[0] };
    }

    fn confidence(&self) -> f64 {
        if self.pixels.contains(&0.0) {
            return 0.0;
        }
        let agreement = self.chosen[0] / self.chosen[1];
        let gap = self.memberships[0] / self.pixels[0] - self.memberships[1] / self.pixels[1];
        let stability = self.reach[1] / self.reach[0].max(1.0);
        (agreement + gap.clamp(0.0, 1.0) + stability) / 3.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use segcut_core::Partition;

    #[test]
    fn the_three_parts_by_hand() {
        let superpixels = LabelMap::new(1, 6, vec![0, 0, 1, 1, 2, 2]).unwrap();
        let partition = Partition::new(vec![0, 0, 1], 2).unwrap();
        let soft = array![[1.0, 0.0], [0.5, 0.5], [0.1, 0.9]];
        let clustering = Clustering { soft: Some(soft), ..Clustering::converged(partition) };
        let mask = LabelMap::new(1, 6, vec![0, 0, 0, 1, 1, 1]).unwrap();
        let agreement = 2.0 / 3.0;
        let gap = (0.5 + 0.9 + 0.9) / 3.0 - 0.5 / 3.0;
        let found = mask_confidence(&clustering, &superpixels, &mask).unwrap();
        assert!((found - (agreement + gap + 0.5) / 3.0).abs() < 1e-12);
    }

    #[test]
    fn what_sets_nothing_apart_has_none() {
        let superpixels = LabelMap::new(1, 2, vec![0, 1]).unwrap();
        let hard = Clustering::converged(Partition::new(vec![0, 1], 2).unwrap());
        assert_eq!(mask_confidence(&hard, &superpixels, &superpixels), None);
        let soft = Clustering { soft: Some(array![[1.0, 0.0], [0.0, 1.0]]), ..hard };
        for label in [0, 1, VOID] {
            let mask = LabelMap::new(1, 2, vec![label; 2]).unwrap();
            assert_eq!(mask_confidence(&soft, &superpixels, &mask), Some(0.0));
        }
    }
}
