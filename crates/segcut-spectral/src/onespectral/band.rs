//! A set in a large graph to a better one close by.

use super::inverse_power::{CutSet, InversePower};
use crate::pencil::Pencil;
use crate::plaplacian::Criterion;
use segcut_core::Context;
use std::collections::VecDeque;

/// Edges between the cut and the rim of the band.
const WIDTH: u32 = 6;
/// Rounds, each with a new band.
const ROUNDS: usize = 3;

/// The set after descents in which only nodes near its border may change sides.
///
/// Each side's nodes farther than six edges from the cut are one node of a contracted graph; cuts and sizes in it are
/// those of the whole.
pub(super) fn refined(pencil: &Pencil, criterion: Criterion, start: CutSet, context: &Context) -> CutSet {
    let mut best = start;
    for _ in 0..ROUNDS {
        let (cluster, k) = band(pencil, &best.above);
        let narrow = pencil.contracted(&cluster, k);
        let mut above = vec![false; k];
        cluster.iter().zip(&best.above).for_each(|(&c, &a)| above[c as usize] = a);
        let mut descent = InversePower::new(&narrow, criterion);
        let found = descent.descend(above, context);
        if found.value >= best.value * (1.0 - 1e-12) {
            break;
        }
        let above = cluster.iter().map(|&c| found.above[c as usize]).collect();
        best = CutSet { above, value: found.value };
    }
    best
}

/// Clusters: 0 and 1 are the two sides' far nodes (where there are any), all others single nodes.
fn band(pencil: &Pencil, above: &[bool]) -> (Vec<u32>, usize) {
    const FAR: u32 = u32::MAX;
    let mut distance = vec![FAR; pencil.n()];
    let mut queue = VecDeque::new();
    for i in 0..pencil.n() {
        if pencil.row(i).0.iter().any(|&j| above[j as usize] != above[i]) {
            distance[i] = 0;
            queue.push_back(i);
        }
    }
    while let Some(i) = queue.pop_front() {
        for &j in pencil.row(i).0 {
            if distance[j as usize] == FAR && distance[i] < WIDTH {
                distance[j as usize] = distance[i] + 1;
                queue.push_back(j as usize);
            }
        }
    }
    let mut names = [FAR; 2];
    let mut k = 0;
    let mut fresh = || {
        k += 1;
        k - 1
    };
    let mut cluster = Vec::with_capacity(pencil.n());
    for (&d, &a) in distance.iter().zip(above) {
        let far = &mut names[usize::from(a)];
        cluster.push(match (d == FAR, *far == FAR) {
            (true, false) => *far,
            (true, true) => {
                *far = fresh();
                *far
            }
            _ => fresh(),
        });
    }
    (cluster, k as usize)
}
