//! The most frequent label around every pixel.

use super::bit_rows::{BitRows, Element};
use segcut_core::{LabelMap, VOID};

/// Gives every pixel the most frequent label under the element: equal counts keep the pixel's label where it is
/// among them, otherwise the smallest label wins. VOID does not count.
pub(super) fn majority(labels: LabelMap, element: &Element) -> LabelMap {
    let (height, width, n) = (labels.height(), labels.width(), labels.n());
    let old = labels.labels().to_vec();
    let border = |at: usize| {
        let right = !(at + 1).is_multiple_of(width) && old[at] != old[at + 1];
        right || (at + width < old.len() && old[at] != old[at + width])
    };
    let marks: Vec<bool> = (0..old.len()).map(border).collect();
    // A window with two labels holds both pixels of some border pair, so also its marked (upper or left) one.
    let near = BitRows::of(height, width, &marks, |&m| m).dilate(element);
    let mut window = Window { old: &old, height, width, element, counts: Vec::new() };
    labels.map_pixels(n, |at, label| match near.get(at / width, at % width) {
        true => window.winner(at, label),
        false => label,
    })
}

struct Window<'a> {
    old: &'a [u32],
    height: usize,
    width: usize,
    element: &'a Element,
    counts: Vec<(u32, u32)>,
}

impl Window<'_> {
    fn winner(&mut self, at: usize, label: u32) -> u32 {
        let (y, x) = (at / self.width, at % self.width);
        let radius = self.element.radius();
        self.counts.clear();
        let (mut last, mut pixels) = (label, 0);
        for row in y.saturating_sub(radius)..=(y + radius).min(self.height - 1) {
            let half = self.element.half_width(row.abs_diff(y));
            let columns = x.saturating_sub(half)..(x + half + 1).min(self.width);
            for &other in &self.old[row * self.width..][columns] {
                if other != last {
                    self.count(last, pixels);
                    (last, pixels) = (other, 0);
                }
                pixels += 1;
            }
        }
        self.count(last, pixels);
        let key = |&(other, count): &(u32, u32)| (count, other == label, std::cmp::Reverse(other));
        self.counts.iter().copied().max_by_key(key).map_or(label, |(winner, _)| winner)
    }

    fn count(&mut self, label: u32, pixels: u32) {
        if label == VOID {
            return;
        }
        match self.counts.iter_mut().find(|(other, _)| *other == label) {
            Some((_, count)) => *count += pixels,
            None => self.counts.push((label, pixels)),
        }
    }
}
