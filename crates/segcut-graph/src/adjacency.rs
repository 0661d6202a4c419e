//! Label map → which regions touch, along how many pixel pairs, with how strong a contour between.

use crate::oriented_border::oriented_strength;
use crate::pair_table::PairTable;
use segcut_core::{ContourSum, LabelMap, VOID};
use std::ops::Range;

/// Edges of a region adjacency graph with what was measured along the borders.
#[derive(Debug, Clone, PartialEq)]
pub struct Adjacency {
    /// (u, v) with u < v, sorted.
    pub edges: Vec<[u32; 2]>,
    /// Touching pixel pairs per edge; 0 where the regions are only within the radius.
    pub border_length: Vec<f32>,
    /// Mean over all pixel pairs of the strongest contour value on the line between them, where a map was given; of
    /// a map with orientations the mean along the border.
    pub boundary_strength: Option<Vec<f32>>,
}

/// Which pixels are neighbours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbourhood {
    /// 4 or 8.
    pub connectivity: u8,
    /// Beyond 1, also all pixels within this Euclidean distance.
    pub radius: f64,
}

struct Offset {
    down: usize,
    right: isize,
    touching: bool,
    /// The pixels strictly between the two ends.
    between: Vec<(usize, isize)>,
}

/// Finds the pairs of regions that hold neighbouring pixels.
///
/// The strength of one pixel pair is the largest contour value on the straight line between the two,
/// ends included (the intervening contour of Leung & Malik 1998); for touching pixels that is the
/// larger of two values. An edge has the mean over its pairs. VOID pixels belong to no pair.
///
/// A contour with orientations is read in the direction of the border ([`oriented_strength`]); edges without a
/// border of 4-neighbours have its strongest orientation, by the rule above.
///
/// # Shapes
/// `contour` has the size of `labels` (the caller has checked).
///
/// # Cost
/// O(pixels · neighbours), plus sorting the edges. The contour is read in bands of rows.
pub(crate) fn adjacency(labels: &LabelMap, hood: Neighbourhood, contour: Option<&ContourSum<'_, '_>>) -> Adjacency {
    let oriented = contour.filter(|sum| sum.orientations() > 1);
    let only_borders = hood.connectivity == 4 && hood.radius <= 1.0;
    let Some(sum) = oriented else {
        return count_pairs(labels, hood, contour);
    };
    let mut found = count_pairs(labels, hood, contour.filter(|_| !only_borders));
    let along = oriented_strength(labels, &found.edges, sum);
    let anywhere = found.boundary_strength.take().unwrap_or_else(|| vec![0.0; along.len()]);
    let both = along.into_iter().zip(anywhere);
    found.boundary_strength = Some(both.map(|(along, anywhere)| along.unwrap_or(anywhere)).collect());
    found
}

fn count_pairs(labels: &LabelMap, hood: Neighbourhood, contour: Option<&ContourSum<'_, '_>>) -> Adjacency {
    let offsets = offsets(hood);
    let reach = offsets.iter().map(|o| o.down).max().unwrap_or(0);
    let mut pairs = Pairs { table: PairTable::new(), touching: Vec::new(), all: Vec::new(), strength: Vec::new() };
    let (height, width) = (labels.height(), labels.width());
    let mut buffer = Vec::new();
    for rows in bands(height, width) {
        let tall = rows.start..(rows.end + reach).min(height);
        if let Some(sum) = contour {
            buffer.resize(tall.len() * width, 0.0);
            sum.read_strongest(tall, &mut buffer);
        }
        for row in rows.clone() {
            for offset in &offsets {
                pairs.add_row(labels, row, offset, &buffer[..], rows.start);
            }
        }
    }
    pairs.finish(contour.is_some())
}

/// Cuts rows into bands of about a million pixels.
pub(crate) fn bands(height: usize, width: usize) -> impl Iterator<Item = Range<usize>> {
    let rows = ((1 << 20) / width.max(1)).max(16);
    (0..height).step_by(rows).map(move |start| start..(start + rows).min(height))
}

fn offsets(hood: Neighbourhood) -> Vec<Offset> {
    let base: &[(usize, isize)] = match hood.connectivity {
        4 => &[(0, 1), (1, 0)],
        _ => &[(0, 1), (1, 0), (1, 1), (1, -1)],
    };
    let reach = hood.radius.max(1.0) as isize;
    let far = (0..=reach).flat_map(|down| (-reach..=reach).map(move |right| (down as usize, right)));
    let far = far.filter(|&(down, right)| {
        let distance2 = (down * down) as f64 + (right * right) as f64;
        (down > 0 || right > 0) && distance2 <= hood.radius * hood.radius && !base.contains(&(down, right))
    });
    base.iter()
        .copied()
        .chain(far)
        .map(|(down, right)| Offset {
            down,
            right,
            touching: base.contains(&(down, right)),
            between: between(down, right),
        })
        .collect()
}

/// Pixels of the digital line from (0, 0) to (down, right), without its ends.
fn between(down: usize, right: isize) -> Vec<(usize, isize)> {
    let steps = down.max(right.unsigned_abs());
    let at = |t: usize, length: f64| (t as f64 * length / steps as f64).round();
    (1..steps).map(|t| (at(t, down as f64) as usize, at(t, right as f64) as isize)).collect()
}

struct Pairs {
    table: PairTable,
    touching: Vec<u32>,
    all: Vec<u32>,
    strength: Vec<f64>,
}

impl Pairs {
    fn add_row(&mut self, labels: &LabelMap, row: usize, offset: &Offset, contour: &[f32], top: usize) {
        let (height, width) = (labels.height(), labels.width());
        let shift = offset.right.unsigned_abs();
        if row + offset.down >= height || shift >= width {
            return;
        }
        let line = |row: usize| &labels.labels()[row * width..(row + 1) * width];
        let (skip_a, skip_b) = if offset.right < 0 { (shift, 0) } else { (0, shift) };
        let length = width - shift;
        let a = &line(row)[skip_a..skip_a + length];
        let b = &line(row + offset.down)[skip_b..skip_b + length];
        const STEP: usize = 16;
        for (block, (a, b)) in a.chunks(STEP).zip(b.chunks(STEP)).enumerate() {
            if a == b {
                continue;
            }
            for (i, (&u, &v)) in a.iter().zip(b).enumerate() {
                if u != v && u != VOID && v != VOID {
                    let at = (row - top) * width + skip_a + block * STEP + i;
                    self.add(u, v, offset, strongest(contour, at, width, offset));
                }
            }
        }
    }

    fn add(&mut self, u: u32, v: u32, offset: &Offset, strength: f32) {
        let number = self.table.number(u.min(v), u.max(v));
        if number == self.all.len() {
            self.touching.push(0);
            self.all.push(0);
            self.strength.push(0.0);
        }
        self.touching[number] += u32::from(offset.touching);
        self.all[number] += 1;
        self.strength[number] += f64::from(strength);
    }

    fn finish(self, with_strength: bool) -> Adjacency {
        let order = self.table.sorted();
        let by_edge = |value: &dyn Fn(usize) -> f32| order.iter().map(|&(_, number)| value(number as usize)).collect();
        Adjacency {
            edges: order.iter().map(|&(edge, _)| edge).collect(),
            border_length: by_edge(&|i| self.touching[i] as f32),
            boundary_strength: with_strength.then(|| by_edge(&|i| (self.strength[i] / f64::from(self.all[i])) as f32)),
        }
    }
}

/// The largest contour value on the line from the pixel `at`; 0 without a contour.
fn strongest(contour: &[f32], at: usize, width: usize, offset: &Offset) -> f32 {
    if contour.is_empty() {
        return 0.0;
    }
    let pixel = |&(down, right): &(usize, isize)| contour[(at + down * width).wrapping_add_signed(right)];
    let ends = contour[at].max(pixel(&(offset.down, offset.right)));
    offset.between.iter().map(pixel).fold(ends, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use segcut_core::{FeatureMap, Grid};
    use std::collections::BTreeMap;

    fn hood(connectivity: u8, radius: f64) -> Neighbourhood {
        Neighbourhood { connectivity, radius }
    }

    #[test]
    fn a_drawn_map_by_hand() {
        // 0 0 1
        // 2 0 1
        // 2 2 #
        let labels = LabelMap::new(3, 3, vec![0, 0, 1, 2, 0, 1, 2, 2, VOID]).unwrap();
        let four = adjacency(&labels, hood(4, 1.0), None);
        assert_eq!(four.edges, [[0, 1], [0, 2]]);
        assert_eq!(four.border_length, [2.0, 3.0]);
        assert_eq!(four.boundary_strength, None);
        let eight = adjacency(&labels, hood(8, 1.0), None);
        assert_eq!(eight.edges, [[0, 1], [0, 2], [1, 2]]);
        assert_eq!(eight.border_length, [4.0, 5.0, 1.0]);
    }

    #[test]
    fn strength_is_the_mean_of_the_larger_ends() {
        let labels = LabelMap::new(2, 2, vec![0, 1, 0, 1]).unwrap();
        let maps = [FeatureMap::held("contour", Grid::pixels(2, 2), 1, vec![1.0, 3.0, 8.0, 0.0]).unwrap()];
        let contour = ContourSum::of(&maps, &BTreeMap::new(), [2, 2]).unwrap();
        let found = adjacency(&labels, hood(4, 1.0), contour.as_ref());
        assert_eq!(found.boundary_strength, Some(vec![5.5]));
    }

    #[test]
    fn far_pairs_see_the_contour_between_them() {
        let labels = LabelMap::new(1, 3, vec![0, 1, 2]).unwrap();
        let maps = [FeatureMap::held("contour", Grid::pixels(1, 3), 1, vec![1.0, 7.0, 2.0]).unwrap()];
        let contour = ContourSum::of(&maps, &BTreeMap::new(), [1, 3]).unwrap();
        let found = adjacency(&labels, hood(4, 2.0), contour.as_ref());
        assert_eq!(found.edges, [[0, 1], [0, 2], [1, 2]]);
        assert_eq!(found.border_length, [1.0, 0.0, 1.0]);
        assert_eq!(found.boundary_strength, Some(vec![7.0, 7.0, 7.0]));
    }

    #[test]
    fn borders_of_diagonal_neighbours_have_the_strongest_orientation() {
        let labels = LabelMap::new(2, 2, vec![0, 1, 1, 2]).unwrap();
        let maps = [FeatureMap::held("contour", Grid::pixels(2, 2), 2, [3.0, 5.0].repeat(4)).unwrap()];
        let contour = ContourSum::of(&maps, &BTreeMap::new(), [2, 2]).unwrap();
        let found = adjacency(&labels, hood(8, 1.0), contour.as_ref());
        assert_eq!(found.edges, [[0, 1], [0, 2], [1, 2]]);
        assert_eq!(found.boundary_strength.unwrap()[1], 5.0);
        assert_eq!(adjacency(&labels, hood(4, 1.0), contour.as_ref()).edges, [[0, 1], [1, 2]]);
    }

    /// The definition, pair by pair.
    fn plain(labels: &LabelMap, connectivity: u8, radius: f64) -> BTreeMap<[u32; 2], f32> {
        let (height, width) = (labels.height() as isize, labels.width() as isize);
        let at = |i: isize| (i / width, i % width);
        let mut edges = BTreeMap::new();
        for i in 0..height * width {
            for j in i + 1..height * width {
                let ((y, x), (v, u)) = (at(i), at(j));
                let (down, right) = (v - y, u - x);
                let touching = match (down, right) {
                    (0, 1) | (1, 0) => true,
                    (1, 1 | -1) => connectivity == 8,
                    _ => false,
                };
                let near = radius > 1.0 && ((down * down + right * right) as f64) <= radius * radius;
                let ends = [labels.labels()[i as usize], labels.labels()[j as usize]];
                if (touching || near) && ends[0] != ends[1] && !ends.contains(&VOID) {
                    *edges.entry([ends[0].min(ends[1]), ends[0].max(ends[1])]).or_insert(0.0) +=
                        f32::from(u8::from(touching));
                }
            }
        }
        edges
    }

    proptest! {
        #[test]
        fn edges_agree_with_the_definition(
            width in 1usize..24, cells in prop::collection::vec(0u32..7, 1..120), which in 0usize..2, far in 0usize..3,
        ) {
            let height = cells.len().div_ceil(width);
            let label = |i: usize| match cells[i % cells.len()] { 6 => VOID, l => l };
            let labels = LabelMap::new(height, width, (0..height * width).map(label).collect()).unwrap();
            let (connectivity, radius) = ([4, 8][which], [1.0, 2.0, 3.5][far]);
            let found = adjacency(&labels, hood(connectivity, radius), None);
            let expected = plain(&labels, connectivity, radius);
            prop_assert_eq!(found.edges, expected.keys().copied().collect::<Vec<_>>());
            prop_assert_eq!(found.border_length, expected.values().copied().collect::<Vec<_>>());
        }
    }
}
