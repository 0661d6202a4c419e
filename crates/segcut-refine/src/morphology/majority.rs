//! The most frequent label around every pixel.

use super::bit_rows::{BitRows, Element};
use segcut_core::{LabelMap, VOID};

/// Gives every pixel the most frequent label under the element: equal counts keep the pixel's label where it is
/// among them, otherwise the smallest label wins. VOID does not count.
pub(super) fn majority(labels: LabelMap, element: &Element) -> LabelMap {
    let (height, width, n) = (labels.height(), labels.width(), labels.n());
    let old = labels.labels().to_vec();
    let marks = upper_left_of_borders(&old, width);
    // A window with two labels holds both pixels of some border pair, so also its marked (upper or left) one.
    let near = BitRows::of(height, width, &marks, |&m| m).dilate(element).pixels();
    let mut window = Window { old: &old, height, width, element, counts: Vec::new() };
    labels.map_pixels(n, |at, label| if near[at] { window.winner(at, label) } else { label })
}

/// The pixels whose right or lower neighbour has another label.
fn upper_left_of_borders(labels: &[u32], width: usize) -> Vec<bool> {
    let mut marks = vec![false; labels.len()];
    for (row, marks) in labels.chunks_exact(width.max(1)).zip(marks.chunks_exact_mut(width.max(1))) {
        marks.iter_mut().zip(row.windows(2)).for_each(|(mark, pair)| *mark = pair[0] != pair[1]);
    }
    let below = labels.iter().skip(width);
    marks.iter_mut().zip(labels.iter().zip(below)).for_each(|(mark, (label, below))| *mark |= label != below);
    marks
}

struct Window<'a> {
    old: &'a [u32],
    height: usize,
    width: usize,
    element: &'a Element,
    counts: Vec<(u32, usize)>,
}

impl<'a> Window<'a> {
    fn winner(&mut self, at: usize, label: u32) -> u32 {
        let (mut own, mut all) = (0, 0);
        self.rows(at).for_each(|row| {
            own += row.iter().filter(|&&other| other == label).count();
            all += row.len();
        });
        if 2 * own >= all {
            return label;
        }
        self.counts.clear();
        for row in self.rows(at) {
            row.chunk_by(|a, b| a == b).for_each(|run| count(&mut self.counts, run));
        }
        let key = |&(other, count): &(u32, usize)| (count, other == label, std::cmp::Reverse(other));
        self.counts.iter().copied().max_by_key(key).map_or(label, |(winner, _)| winner)
    }

    /// The rows of the element around a pixel.
    fn rows(&self, at: usize) -> impl Iterator<Item = &'a [u32]> + use<'a> {
        let (y, x) = (at / self.width, at % self.width);
        let (old, width, element) = (self.old, self.width, self.element);
        let rows = y.saturating_sub(element.radius())..(y + element.radius() + 1).min(self.height);
        rows.map(move |row| {
            let half = element.half_width(row.abs_diff(y));
            &old[row * width..][x.saturating_sub(half)..(x + half + 1).min(width)]
        })
    }
}

fn count(counts: &mut Vec<(u32, usize)>, run: &[u32]) {
    match counts.iter_mut().find(|(label, _)| *label == run[0]) {
        _ if run[0] == VOID => (),
        Some((_, pixels)) => *pixels += run.len(),
        None => counts.push((run[0], run.len())),
    }
}
