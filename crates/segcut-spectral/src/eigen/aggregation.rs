//! A graph to groups of strongly connected nodes.

use crate::pencil::Pencil;

/// Edges of at least this share of a node's strongest edge are strong.
const STRONG: f64 = 0.25;

/// No group yet.
const NONE: u32 = u32::MAX;

/// Nodes → groups of neighbors, numbered in the order of their first nodes, and their number.
///
/// Vaněk, Mandel & Brezina 1996, section 5.1: a node whose strong neighbors are all free makes a group with them;
/// what is left joins the group of its strongest neighbor that has one. Strength is relative to the node's
/// strongest edge, as graphs from images have weights of many magnitudes.
///
/// # Cost
/// O(n + edges).
pub(super) fn aggregate(pencil: &Pencil) -> (Vec<u32>, usize) {
    let n = pencil.n();
    let mut group = vec![NONE; n];
    let mut count = 0u32;
    for i in 0..n {
        let strong = || strong_neighbors(pencil, i);
        if group[i] == NONE && strong().all(|j| group[j as usize] == NONE) {
            group[i] = count;
            strong().for_each(|j| group[j as usize] = count);
            count += 1;
        }
    }
    let first = group.clone();
    for (i, own) in group.iter_mut().enumerate().filter(|(_, own)| **own == NONE) {
        let (neighbors, weights) = pencil.row(i);
        let mut best = (0.0, NONE);
        for (&j, &w) in neighbors.iter().zip(weights) {
            if w > best.0 && first[j as usize] != NONE {
                best = (w, first[j as usize]);
            }
        }
        *own = best.1;
    }
    for g in group.iter_mut().filter(|g| **g == NONE) {
        *g = count;
        count += 1;
    }
    (group, count as usize)
}

fn strong_neighbors(pencil: &Pencil, i: usize) -> impl Iterator<Item = u32> {
    let (neighbors, weights) = pencil.row(i);
    let bound = STRONG * weights.iter().copied().fold(0.0, f64::max);
    neighbors.iter().zip(weights).filter(move |&(_, &w)| w >= bound).map(|(&j, _)| j)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pencil::Laplacian;
    use segcut_core::SparseAffinity;

    #[test]
    fn weak_edges_join_no_group() {
        let edges = vec![[0, 1], [1, 2], [2, 3], [3, 4], [4, 5]];
        let affinity = SparseAffinity::new(6, edges, vec![1.0, 1.0, 0.01, 1.0, 1.0]).unwrap();
        let pencil = Pencil::new(&affinity, Laplacian::Normalized, 0.0).unwrap();
        assert_eq!(aggregate(&pencil), (vec![0, 0, 0, 1, 1, 1], 2));
    }
}
