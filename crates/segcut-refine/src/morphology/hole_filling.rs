//! Background that the foreground encloses.

use super::opening_closing::fill;
use crate::components::connected_components;
use crate::connectivity::Connectivity;
use segcut_core::{LabelMap, VOID};

/// Makes 4-connected background of at most `max_hole` pixels foreground where it touches neither the frame nor VOID.
pub(super) fn fill_holes(labels: LabelMap, max_hole: usize) -> LabelMap {
    let two_class = labels.clone().map_pixels(2, |_, label| label.min(1));
    let pieces = connected_components(two_class, Connectivity::Four);
    let mut hole: Vec<bool> = pieces.sizes().into_iter().map(|size| size <= max_hole).collect();
    open_pieces(&pieces, |piece| hole[piece as usize] = false);
    let pieces = pieces.into_labels();
    fill(labels, |at| hole[pieces[at] as usize])
}

/// Names the pieces that touch the frame or VOID (some several times).
pub(super) fn open_pieces(pieces: &LabelMap, mut found: impl FnMut(u32)) {
    let (width, labels) = (pieces.width(), pieces.labels());
    if labels.is_empty() {
        return;
    }
    let mut touch = |at: usize| {
        if labels[at] != VOID {
            found(labels[at]);
        }
    };
    for (at, pair) in labels.windows(2).enumerate().filter(|(_, pair)| pair[0] != pair[1] && pair.contains(&VOID)) {
        touch(if pair[0] == VOID { at + 1 } else { at });
    }
    for at in width..labels.len() {
        if labels[at] != labels[at - width] && (labels[at] == VOID || labels[at - width] == VOID) {
            touch(if labels[at] == VOID { at - width } else { at });
        }
    }
    let last_row = labels.len().saturating_sub(width);
    (0..width).chain(last_row..labels.len()).for_each(&mut touch);
    (0..labels.len()).step_by(width).flat_map(|at| [at, at + width - 1]).for_each(&mut touch);
}
