//! Connected components of label maps by union-find.

use crate::connectivity::Connectivity;
use crate::disjoint_sets::DisjointSets;
use segcut_core::{Context, Evidence, LabelMap, Refiner, StageError, VOID};
use serde::{Deserialize, Serialize};

/// Parameters of [`Components`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ComponentsParams {
    /// Which pixels touch each other: 4 (default) or 8.
    pub connectivity: Connectivity,
    /// Whether label 0 is a background that stays in one region, numbered 0, while the pieces of the other
    /// labels are numbered from 1. Default: false.
    pub keep_background: bool,
}

/// Splits every region into its connected pieces.
///
/// Pieces are numbered by their first pixel in row-major order.
///
/// # Cost
/// O(pixels), 4 bytes per pixel besides the labels.
#[derive(Debug, Clone)]
pub struct Components {
    params: ComponentsParams,
}

impl Components {
    /// The stage with its parameters; all values are accepted.
    ///
    /// # Errors
    /// None today.
    pub fn new(params: ComponentsParams) -> Result<Self, StageError> {
        Ok(Self { params })
    }
}

impl Refiner for Components {
    fn refine(&self, _: &Evidence<'_>, labels: LabelMap, _: &Context) -> Result<LabelMap, StageError> {
        Ok(match self.params.keep_background {
            true => background_first(labels, self.params.connectivity),
            false => connected_components(labels, self.params.connectivity),
        })
    }
}

fn background_first(labels: LabelMap, connectivity: Connectivity) -> LabelMap {
    let background: Vec<bool> = labels.labels().iter().map(|&l| l == 0).collect();
    let pieces = connected_components(labels, connectivity);
    let mut names = vec![VOID; pieces.n()];
    let mut n = 1;
    for (&piece, &background) in pieces.labels().iter().zip(&background).filter(|(piece, _)| **piece != VOID) {
        let name = &mut names[piece as usize];
        if *name == VOID {
            *name = if background { 0 } else { n };
            n += u32::from(!background);
        }
    }
    pieces.map_pixels(n as usize, |_, piece| names[piece as usize])
}

/// Any label map → its connected pieces, numbered by their first pixel in row-major order.
///
/// Two passes with union-find (Rosenfeld and Pfaltz 1966): provisional numbers from the neighbours above
/// and to the left, then the roots in order.
///
/// # Cost
/// O(pixels); 4 bytes per pixel besides the labels, and 4 per provisional piece.
///
/// # Examples
/// ```
/// use segcut_core::LabelMap;
/// use segcut_refine::{Connectivity, connected_components};
/// let map = LabelMap::new(2, 3, vec![5, 0, 0, 0, 5, 5])?;
/// assert_eq!(connected_components(map.clone(), Connectivity::Four).labels(), [0, 1, 1, 2, 3, 3]);
/// assert_eq!(connected_components(map, Connectivity::Eight).labels(), [0, 1, 1, 1, 0, 0]);
/// # Ok::<(), segcut_core::LabelMapError>(())
/// ```
pub fn connected_components(map: LabelMap, connectivity: Connectivity) -> LabelMap {
    let mut scan = Scan { labels: map.labels(), pieces: vec![VOID; map.labels().len()], sets: DisjointSets::default() };
    for row in 0..map.height() {
        match connectivity {
            Connectivity::Four => scan.row_four(row, map.width()),
            Connectivity::Eight => scan.row_eight(row, map.width()),
        }
    }
    let (names, n) = scan.sets.number();
    let pieces = scan.pieces;
    map.map_pixels(n, |at, _| names[pieces[at] as usize])
}

struct Scan<'a> {
    labels: &'a [u32],
    pieces: Vec<u32>,
    sets: DisjointSets,
}

impl Scan<'_> {
    fn row_four(&mut self, row: usize, width: usize) {
        let start = row * width;
        for at in start..start + width {
            let label = self.labels[at];
            if label == VOID {
                continue;
            }
            let left = at > start && self.labels[at - 1] == label;
            let above = row > 0 && self.labels[at - width] == label;
            self.pieces[at] = match (left, above) {
                (true, true) => self.join(self.pieces[at - 1], self.pieces[at - width]),
                (true, false) => self.pieces[at - 1],
                (false, true) => self.pieces[at - width],
                (false, false) => self.sets.push(),
            };
        }
    }

    fn row_eight(&mut self, row: usize, width: usize) {
        let start = row * width;
        for at in start..start + width {
            let label = self.labels[at];
            if label == VOID {
                continue;
            }
            let (first, last) = (at == start, at + 1 == start + width);
            let before = [
                (!first).then(|| at - 1),
                (row > 0 && !first).then(|| at - width - 1),
                (row > 0).then(|| at - width),
                (row > 0 && !last).then(|| at - width + 1),
            ];
            let mut piece = VOID;
            for neighbour in before.into_iter().flatten().filter(|&b| self.labels[b] == label) {
                piece = self.join(piece, self.pieces[neighbour]);
            }
            self.pieces[at] = if piece == VOID { self.sets.push() } else { piece };
        }
    }

    fn join(&mut self, a: u32, b: u32) -> u32 {
        if a == b || a == VOID {
            return b;
        }
        self.sets.unite(a, b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn flood(map: &LabelMap, eight: bool) -> LabelMap {
        let (h, w) = (map.height() as i64, map.width() as i64);
        let mut out = vec![VOID; (h * w) as usize];
        let mut next = 0;
        for start in 0..out.len() {
            if out[start] != VOID || map.labels()[start] == VOID {
                continue;
            }
            let mut stack = vec![start as i64];
            while let Some(at) = stack.pop() {
                out[at as usize] = next;
                for (dy, dx) in [(0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1)] {
                    let (y, x) = (at / w + dy, at % w + dx);
                    let inside = y >= 0 && y < h && x >= 0 && x < w && (eight || dy * dx == 0);
                    let to = y * w + x;
                    if inside && out[to as usize] == VOID && map.labels()[to as usize] == map.labels()[start] {
                        stack.push(to);
                    }
                }
            }
            next += 1;
        }
        LabelMap::new(map.height(), map.width(), out).unwrap()
    }

    proptest! {
        #[test]
        fn equal_to_flood_fill(width in 1usize..9, labels in proptest::collection::vec(0u32..4, 1..80)) {
            let height = labels.len() / width;
            let labels: Vec<u32> = labels[..height * width].iter().map(|&l| if l == 3 { VOID } else { l }).collect();
            let map = LabelMap::new(height, width, labels).unwrap();
            for connectivity in [Connectivity::Four, Connectivity::Eight] {
                let pieces = connected_components(map.clone(), connectivity);
                prop_assert_eq!(&pieces, &flood(&map, connectivity == Connectivity::Eight));
                prop_assert_eq!(&connected_components(pieces.clone(), connectivity), &pieces);
            }
        }
    }

    #[test]
    fn the_background_stays_whole() {
        let labels = LabelMap::new(1, 6, vec![1, 0, 1, 0, 2, VOID]).unwrap();
        let map = background_first(labels, Connectivity::Four);
        assert_eq!((map.labels(), map.n()), (&[1, 0, 2, 0, 3, VOID][..], 4));
    }
}
