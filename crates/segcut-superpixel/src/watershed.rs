//! Contour maps → the basins of their minima.

use segcut_core::{
    Context, ContourSum, ContourSumError, FeatureMaps, Image, LabelMap, Mask, Oversegmenter, StageError, VOID,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

/// Settings of [`Watershed`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WatershedParams {
    /// Contour maps by name, with their weights; none: the map `contour`.
    pub contours: BTreeMap<String, f64>,
    /// Heights that are told apart, from the lowest to the highest of the image.
    pub levels: usize,
}

impl Default for WatershedParams {
    fn default() -> Self {
        Self { contours: BTreeMap::new(), levels: 512 }
    }
}

/// Why an image has no watershed.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum WatershedError {
    /// There is no contour map.
    #[error("a watershed needs a contour map, but the feature maps are {maps:?}")]
    NoContour {
        /// The maps there are.
        maps: Vec<String>,
    },
    /// The contour maps do not fit.
    #[error(transparent)]
    Contour(#[from] ContourSumError),
}

/// Contour maps → the catchment basins of the minima of their sum, without lines between them.
///
/// Meyer's flooding (1994) of the strongest orientation, cut into levels: every regional minimum is a basin, and
/// pixels join the basin that reaches them first, level by level and first in, first out within one. A pixel
/// has 4 neighbours. Pixels outside the image's valid mask are VOID, and walls.
///
/// # Shapes
/// Basins are numbered in reading order of their minima.
///
/// # Cost
/// O(H·W + levels); the contour maps are read in bands of rows.
///
/// # Examples
/// ```
/// use segcut_core::{ColorSpace, Context, FeatureMap, Grid, Image, Oversegmenter, Samples};
/// use segcut_superpixel::{Watershed, WatershedParams};
/// let image = Image::new(1, 5, ColorSpace::Gray, Samples::U8(vec![0; 5]))?;
/// let contour = FeatureMap::held("contour", Grid::pixels(1, 5), 1, vec![0.0, 1.0, 9.0, 2.0, 1.0])?;
/// let basins = Watershed::new(WatershedParams::default())?.oversegment(&image, &[contour], &Context::default())?;
/// assert_eq!(basins.labels(), [0, 0, 0, 1, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Watershed {
    params: WatershedParams,
}

impl Watershed {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`].
    pub fn new(params: WatershedParams) -> Result<Self, StageError> {
        if !(2..=65_536).contains(&params.levels) {
            return Err(StageError::parameter("superpixels.levels", params.levels, "from 2 to 65536"));
        }
        if let Some(weight) = params.contours.values().find(|w| !(w.is_finite() && **w >= 0.0)) {
            return Err(StageError::parameter("superpixels.contours", weight, "finite and at least 0"));
        }
        Ok(Self { params })
    }

    /// The level of every pixel.
    fn heights(&self, image: &Image, maps: &FeatureMaps<'_>) -> Result<Vec<u16>, WatershedError> {
        let (height, width) = (image.height(), image.width());
        let Some(contour) = ContourSum::of(maps, &self.params.contours, [height, width])? else {
            return Err(WatershedError::NoContour { maps: maps.iter().map(|map| map.name().to_owned()).collect() });
        };
        let mut strength = vec![0.0f32; height * width];
        let rows = contour.band_rows();
        for (band, out) in strength.chunks_mut(rows * width).enumerate() {
            contour.read_strongest(band * rows..band * rows + out.len() / width, out);
        }
        let low = strength.iter().copied().fold(f32::INFINITY, f32::min);
        let high = strength.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let scale = if high > low { self.params.levels as f32 / (high - low) } else { 0.0 };
        let last = (self.params.levels - 1) as u16;
        Ok(strength.iter().map(|&v| (((v - low) * scale) as u16).min(last)).collect())
    }
}

impl Oversegmenter for Watershed {
    /// # Errors
    /// [`WatershedError`] inside a [`StageError::Data`].
    fn oversegment(&self, image: &Image, maps: &FeatureMaps<'_>, _: &Context) -> Result<LabelMap, StageError> {
        let heights = self.heights(image, maps).map_err(StageError::data)?;
        let mut flood = Flood::new(image, &heights);
        let basins = flood.seed_minima();
        flood.run();
        LabelMap::with_n(image.height(), image.width(), flood.labels, basins).map_err(StageError::data)
    }
}

/// A pixel that no basin has reached; VOID is a wall.
const DRY: u32 = VOID - 1;

struct Flood<'h> {
    width: usize,
    heights: &'h [u16],
    labels: Vec<u32>,
    /// Per level the pixels whose neighbours are to be flooded.
    queues: Vec<Vec<u32>>,
}

impl<'h> Flood<'h> {
    fn new(image: &Image, heights: &'h [u16]) -> Self {
        let label = |valid: bool| if valid { DRY } else { VOID };
        let labels = match image.valid().map(Mask::bits) {
            Some(bits) => bits.iter().map(|&bit| label(bit)).collect(),
            None => vec![DRY; heights.len()],
        };
        let levels = heights.iter().max().map_or(0, |&h| h as usize + 1);
        Self { width: image.width(), heights, labels, queues: vec![Vec::new(); levels] }
    }

    /// Left, right, above, below; the pixel itself where there is none.
    fn neighbours(&self, at: usize) -> [usize; 4] {
        let column = at % self.width;
        [
            if column > 0 { at - 1 } else { at },
            if column + 1 < self.width { at + 1 } else { at },
            if at >= self.width { at - self.width } else { at },
            if at + self.width < self.heights.len() { at + self.width } else { at },
        ]
    }

    /// Gives every flat set of pixels without a lower neighbour a label; returns how many there are.
    fn seed_minima(&mut self) -> usize {
        let mut seen = vec![false; self.heights.len()];
        let mut flat = Vec::new();
        let mut basins = 0;
        for start in 0..self.heights.len() {
            if seen[start] || self.labels[start] == VOID {
                continue;
            }
            if self.collect_flat(start, &mut seen, &mut flat) {
                flat.iter().for_each(|&at| self.labels[at as usize] = basins);
                self.queues[self.heights[start] as usize].extend_from_slice(&flat);
                basins += 1;
            }
        }
        basins as usize
    }

    /// The connected pixels of the start's height; whether none has a lower neighbour.
    fn collect_flat(&self, start: usize, seen: &mut [bool], flat: &mut Vec<u32>) -> bool {
        let height = self.heights[start];
        flat.clear();
        flat.push(start as u32);
        seen[start] = true;
        let (mut next, mut minimum) = (0, true);
        while next < flat.len() {
            for at in self.neighbours(flat[next] as usize) {
                if self.labels[at] == VOID {
                    continue;
                }
                minimum &= self.heights[at] >= height;
                if self.heights[at] == height && !seen[at] {
                    seen[at] = true;
                    flat.push(at as u32);
                }
            }
            next += 1;
        }
        minimum
    }

    fn run(&mut self) {
        for level in 0..self.queues.len() {
            let mut queue = std::mem::take(&mut self.queues[level]);
            let mut next = 0;
            while next < queue.len() {
                self.spread(queue[next] as usize, level, &mut queue);
                next += 1;
            }
        }
    }

    /// Gives a pixel's label to its dry neighbours.
    fn spread(&mut self, from: usize, level: usize, queue: &mut Vec<u32>) {
        for at in self.neighbours(from) {
            if self.labels[at] != DRY {
                continue;
            }
            self.labels[at] = self.labels[from];
            match self.heights[at] as usize {
                own if own > level => self.queues[own].push(at as u32),
                _ => queue.push(at as u32),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use segcut_core::{ColorSpace, FeatureMap, Grid, Samples};

    fn basins(height: usize, width: usize, values: Vec<f32>, mask: Option<Vec<bool>>) -> LabelMap {
        let mask = mask.map(|bits| Mask::new(height, width, bits).unwrap());
        let samples = Samples::U8(vec![0; height * width]);
        let image = Image::with_mask(height, width, ColorSpace::Gray, samples, mask).unwrap();
        let contour = FeatureMap::held("contour", Grid::pixels(height, width), 1, values).unwrap();
        let watershed = Watershed::new(WatershedParams::default()).unwrap();
        watershed.oversegment(&image, &[contour], &Context::default()).unwrap()
    }

    #[test]
    fn two_valleys_meet_on_the_ridge() {
        #[rustfmt::skip]
        let values = vec![
            0.0, 2.0, 8.0, 2.0, 1.0,
            0.0, 1.0, 9.0, 2.0, 1.0,
            0.0, 0.0, 7.0, 3.0, 3.0,
        ];
        let found = basins(3, 5, values, None);
        assert_eq!(found.labels(), [0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1]);
    }

    #[test]
    fn a_flat_image_is_one_basin_and_void_is_a_wall() {
        assert_eq!(basins(4, 3, vec![5.0; 12], None).n(), 1);
        let wall = [true, true, false, true].repeat(2);
        let found = basins(2, 4, vec![0.0; 8], Some(wall));
        assert_eq!(found.labels(), [0, 0, VOID, 1, 0, 0, VOID, 1]);
    }

    #[test]
    fn bad_parameters_and_missing_contours_are_named() {
        let refused = |params| Watershed::new(params).unwrap_err().to_string();
        assert!(refused(WatershedParams { levels: 1, ..Default::default() }).starts_with("superpixels.levels = 1"));
        let contours = BTreeMap::from([("a".to_owned(), -1.0)]);
        assert!(refused(WatershedParams { contours, levels: 9 }).starts_with("superpixels.contours = -1"));
        let image = Image::new(1, 1, ColorSpace::Gray, Samples::U8(vec![0])).unwrap();
        let watershed = Watershed::new(WatershedParams::default()).unwrap();
        let error = watershed.oversegment(&image, &[], &Context::default()).unwrap_err().to_string();
        assert_eq!(error, "a watershed needs a contour map, but the feature maps are []");
    }

    /// The minima by growing each flat set anew, and the flooding by scanning for the lowest border pixel.
    fn plain_minima(height: usize, width: usize, values: &[f32]) -> usize {
        let near = |i: usize| {
            let (y, x) = (i / width, i % width);
            let all = [(y.wrapping_sub(1), x), (y + 1, x), (y, x.wrapping_sub(1)), (y, x + 1)];
            all.into_iter().filter(|&(y, x)| y < height && x < width).map(|(y, x)| y * width + x).collect::<Vec<_>>()
        };
        let flat = |start: usize| {
            let mut set = std::collections::BTreeSet::from([start]);
            loop {
                let grown: std::collections::BTreeSet<usize> = set
                    .iter()
                    .flat_map(|&i| near(i))
                    .filter(|&j| values[j] == values[start])
                    .chain(set.clone())
                    .collect();
                if grown.len() == set.len() {
                    return set;
                }
                set = grown;
            }
        };
        let sets: std::collections::BTreeSet<_> = (0..values.len()).map(flat).collect();
        let minimum = |set: &&std::collections::BTreeSet<usize>| {
            set.iter().all(|&i| near(i).into_iter().all(|j| values[j] >= values[i]))
        };
        sets.iter().filter(minimum).count()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn every_minimum_is_one_connected_basin(
            width in 1usize..9, cells in prop::collection::vec(0u8..6, 1..60),
        ) {
            let height = cells.len().div_ceil(width);
            let values: Vec<f32> = (0..height * width).map(|i| f32::from(cells[i % cells.len()])).collect();
            let found = basins(height, width, values.clone(), None);
            prop_assert_eq!(found.n(), plain_minima(height, width, &values));
            prop_assert!(found.labels().iter().all(|&label| (label as usize) < found.n()));
            // Connected: from a pixel, one step within the basin never leads to a dead end above its minimum.
            for label in 0..found.n() as u32 {
                let members: Vec<usize> = (0..values.len()).filter(|&i| found.labels()[i] == label).collect();
                let mut reached = vec![members[0]];
                let mut next = 0;
                while next < reached.len() {
                    let (y, x) = (reached[next] / width, reached[next] % width);
                    for &other in &members {
                        let (v, u) = (other / width, other % width);
                        if y.abs_diff(v) + x.abs_diff(u) == 1 && !reached.contains(&other) {
                            reached.push(other);
                        }
                    }
                    next += 1;
                }
                prop_assert_eq!(reached.len(), members.len());
            }
        }
    }
}
