//! Ranks of nodes to the cut at every rank, without cancellation.

use crate::pencil::Pencil;

/// Weights between ranks ≤ t and ranks > t, for t in 0 .. levels − 1.
///
/// Every cut is a sum of its own edges, never a difference of running sums, so a cut of 1e-200 beside degrees
/// of 1 keeps its digits. An edge of ranks a < b spans the thresholds a ..= b − 1; it is filed at the highest bit
/// in which a and b differ: from a up to the block's middle and from the middle to b − 1. Sums within the
/// blocks of each bit give the cuts.
///
/// # Cost
/// O(edges + levels · log levels).
pub(super) fn cut_profile(pencil: &Pencil, ranks: &[u32], levels: usize) -> Vec<f64> {
    if levels < 2 {
        return Vec::new();
    }
    let bits = (usize::BITS - (levels - 1).leading_zeros()) as usize;
    let mut filed = vec![0.0; bits * levels];
    for (i, &a) in ranks.iter().enumerate() {
        let (neighbors, weights) = pencil.row(i);
        for (&j, &w) in neighbors.iter().zip(weights) {
            let b = ranks[j as usize];
            if a < b {
                file(&mut filed, levels, [a as usize, b as usize], w);
            }
        }
    }
    let mut cuts = vec![0.0; levels];
    for (bit, filed) in filed.chunks_exact(levels).enumerate() {
        gather(filed, 1 << bit, &mut cuts);
    }
    cuts.pop();
    cuts
}

/// Enters one edge; thresholds a .. middle grow from a, thresholds middle .. b from b − 1 downwards.
fn file(filed: &mut [f64], levels: usize, [a, b]: [usize; 2], w: f64) {
    let bit = (usize::BITS - 1 - (a ^ b).leading_zeros()) as usize;
    let row = &mut filed[bit * levels..(bit + 1) * levels];
    row[a] += w;
    let middle = b >> bit << bit;
    if b > middle {
        row[b - 1] += w;
    }
}

/// Adds the running sums within the blocks of 2·half levels: forwards in the lower half, backwards in the upper.
fn gather(filed: &[f64], half: usize, cuts: &mut [f64]) {
    let blocks = filed.chunks(2 * half).zip(cuts.chunks_mut(2 * half));
    for (filed, cuts) in blocks {
        let middle = half.min(filed.len());
        let mut running = 0.0;
        for (f, cut) in filed[..middle].iter().zip(&mut cuts[..middle]) {
            running += f;
            *cut += running;
        }
        running = 0.0;
        for (f, cut) in filed[middle..].iter().zip(&mut cuts[middle..]).rev() {
            running += f;
            *cut += running;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pencil::Laplacian;
    use segcut_core::SparseAffinity;

    #[test]
    fn every_cut_is_the_plain_sum_of_its_edges() {
        for n in 2..40u32 {
            let all = (0..n).flat_map(|u| (u + 1..n).map(move |v| [u, v]));
            let edges: Vec<[u32; 2]> = all.filter(|[u, v]| (u * 7 + v * 3) % 4 != 1).collect();
            let weights = edges.iter().map(|[u, v]| f64::from(u * v % 11 + 1) * 0.25).collect();
            let affinity = SparseAffinity::new(n as usize, edges, weights).unwrap();
            let pencil = Pencil::new(&affinity, Laplacian::Normalized, 0.0).unwrap();
            let levels = n.div_ceil(2).max(2);
            let ranks: Vec<u32> = (0..n).map(|i| i * 5 % levels).collect();
            let cuts = cut_profile(&pencil, &ranks, levels as usize);
            assert_eq!(cuts.len() as u32, levels - 1);
            for (t, cut) in cuts.iter().enumerate() {
                let rank = |x: u32| ranks[x as usize] as usize;
                let across = |[u, v]: [u32; 2]| (rank(u) <= t) != (rank(v) <= t);
                let plain: f64 =
                    affinity.edges().iter().zip(affinity.weights()).filter(|(e, _)| across(**e)).map(|(_, w)| w).sum();
                assert_eq!(*cut, plain);
            }
        }
    }

    #[test]
    fn small_cuts_keep_their_digits() {
        let affinity = SparseAffinity::new(4, vec![[0, 1], [1, 2], [2, 3]], vec![1.0, 3e-200, 1.0]).unwrap();
        let pencil = Pencil::new(&affinity, Laplacian::Normalized, 0.0).unwrap();
        assert_eq!(cut_profile(&pencil, &[0, 1, 2, 3], 4), [1.0, 3e-200, 1.0]);
    }
}
