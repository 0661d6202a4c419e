//! Regions inside regions.

use super::hole_filling::open_pieces;
use crate::borders::borders;
use crate::components::connected_components;
use crate::connectivity::Connectivity;
use crate::disjoint_sets::DisjointSets;
use segcut_core::LabelMap;

/// Gives every connected piece of at most `max_hole` pixels that touches one other piece, and neither the frame
/// nor VOID, to that piece; again for what grew. Labels keep their numbers.
pub(super) fn fill_regions(labels: LabelMap, max_hole: usize) -> LabelMap {
    let pieces = connected_components(labels.clone(), Connectivity::Four);
    let mut label = vec![0; pieces.n()];
    pieces.labels().iter().zip(labels.labels()).for_each(|(&piece, &l)| {
        if let Some(slot) = label.get_mut(piece as usize) {
            *slot = l;
        }
    });
    let mut owner = enclosing(&pieces, max_hole);
    let n = labels.n();
    labels.map_pixels(n, |at, _| label[owner.find(pieces.labels()[at]) as usize])
}

/// Every piece under the piece that takes it.
fn enclosing(pieces: &LabelMap, max_hole: usize) -> DisjointSets {
    let mut neighbours = vec![Vec::new(); pieces.n()];
    for border in borders(pieces) {
        let [a, b] = border.regions;
        neighbours[a as usize].push(b);
        neighbours[b as usize].push(a);
    }
    let mut closed = vec![true; pieces.n()];
    open_pieces(pieces, |piece| closed[piece as usize] = false);
    let mut size = pieces.sizes();
    let mut owner = DisjointSets::singletons(pieces.n());
    let mut waiting: Vec<u32> = (0..pieces.n() as u32).rev().collect();
    while let Some(piece) = waiting.pop() {
        let (at, &[outer]) = (piece as usize, &neighbours[piece as usize][..]) else { continue };
        if closed[at] && size[at] <= max_hole {
            owner.hang(piece, outer);
            size[outer as usize] += size[at];
            neighbours[at].clear();
            neighbours[outer as usize].retain(|&side| side != piece);
            waiting.push(outer);
        }
    }
    owner
}
