//! Opening and closing of the foreground.

use super::bit_rows::{BitRows, Element};
use segcut_core::{LabelMap, VOID};
use std::collections::VecDeque;

/// Removes the foreground (labels ≥ 1) that the element does not fit into.
///
/// δ(ε(X)) within the valid pixels, so that no frame is eaten: ε and δ are adjoint on that domain.
pub(super) fn open(labels: LabelMap, element: &Element) -> LabelMap {
    let (valid, foreground) = planes(&labels);
    let kept = foreground.erode(element, &valid).dilate(element).and(&valid).pixels();
    let n = labels.n();
    labels.map_pixels(n, |at, label| if kept[at] { label } else { 0 })
}

/// Adds the background that the element does not fit into: ε(δ(X)) within the valid pixels.
pub(super) fn close(labels: LabelMap, element: &Element) -> LabelMap {
    let (valid, foreground) = planes(&labels);
    let closed = foreground.dilate(element).and(&valid).erode(element, &valid).pixels();
    fill(labels, |at| closed[at])
}

fn planes(labels: &LabelMap) -> (BitRows, BitRows) {
    let plane = |inside: fn(&u32) -> bool| BitRows::of(labels.height(), labels.width(), labels.labels(), inside);
    (plane(|&l| l != VOID), plane(|&l| l != VOID && l > 0))
}

/// Makes background pixels foreground: with one foreground label, that one; otherwise the label that reaches
/// the pixel first by 8-connected steps through other such pixels (the smallest foreground label where none does).
pub(super) fn fill(labels: LabelMap, added: impl Fn(usize) -> bool) -> LabelMap {
    let n = labels.n();
    let foreground = |&&l: &&u32| l != VOID && l > 0;
    let Some(&smallest) = labels.labels().iter().filter(foreground).min() else { return labels };
    if n == smallest as usize + 1 {
        return labels.map_pixels(n, |at, label| if label == 0 && added(at) { smallest } else { label });
    }
    let grown = grow(&labels, &added);
    labels.map_pixels(n, |at, label| match label {
        0 if added(at) => {
            if grown[at] == 0 {
                smallest
            } else {
                grown[at]
            }
        }
        _ => label,
    })
}

/// Breadth-first growth of the foreground labels into the added pixels.
fn grow(labels: &LabelMap, added: &impl Fn(usize) -> bool) -> Vec<u32> {
    let (height, width) = (labels.height(), labels.width());
    let mut grown = labels.labels().to_vec();
    let mut queue: VecDeque<usize> = (0..grown.len()).filter(|&at| grown[at] != 0 && grown[at] != VOID).collect();
    while let Some(at) = queue.pop_front() {
        let (y, x) = (at / width, at % width);
        for row in y.saturating_sub(1)..=(y + 1).min(height - 1) {
            for to in row * width + x.saturating_sub(1)..=row * width + (x + 1).min(width - 1) {
                if grown[to] == 0 && added(to) {
                    grown[to] = grown[at];
                    queue.push_back(to);
                }
            }
        }
    }
    grown
}
