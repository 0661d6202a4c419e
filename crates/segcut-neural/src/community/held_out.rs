//! Edges → those that are learned from, and those that are kept for judging.

use super::links::Links;
use super::modularity_moves::shares;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use segcut_core::{AffinityError, SparseAffinity};

/// Edges that were held out, with their weights.
pub(super) type HeldOut = Vec<([u32; 2], f64)>;

/// The affinity without a share of its edges, drawn without replacement, and these edges.
pub(super) fn hold_out(
    affinity: &SparseAffinity,
    share: f64,
    random: &mut ChaCha8Rng,
) -> Result<(SparseAffinity, HeldOut), AffinityError> {
    let m = affinity.edges().len();
    let mut held = vec![false; m];
    let mut order: Vec<usize> = (0..m).collect();
    let (drawn, _) = order.partial_shuffle(random, (share * m as f64).round() as usize);
    drawn.iter().for_each(|&edge| held[edge] = true);
    let all = affinity.edges().iter().copied().zip(affinity.weights().iter().copied()).zip(held);
    let (out, kept): (Vec<_>, Vec<_>) = all.partition(|(_, held)| *held);
    let (edges, weights) = kept.into_iter().map(|(edge, _)| edge).unzip();
    let out = out.into_iter().map(|(edge, _)| edge).collect();
    Ok((SparseAffinity::new(affinity.n(), edges, weights)?, out))
}

/// The weight of the held-out edges within communities as a share of all of it, less what the degrees of the other
/// edges let expect: modularity where the labels have not seen the edges. 0 without edges.
pub(super) fn modularity_of(held: &HeldOut, links: &Links, labels: &[u32], k: usize) -> f64 {
    let total: f64 = held.iter().map(|(_, weight)| weight).sum();
    if total <= 0.0 {
        return 0.0;
    }
    let within = held.iter().filter(|([u, v], _)| labels[*u as usize] == labels[*v as usize]);
    let within: f64 = within.map(|(_, weight)| weight).sum();
    within / total - shares(links, labels, k).iter().map(|share| share * share).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn edges_are_parted_and_judge_labels() {
        let edges: Vec<[u32; 2]> = (0..40).map(|i| [i, i + 1]).collect();
        let affinity = SparseAffinity::new(41, edges, (0..40).map(f64::from).collect()).unwrap();
        let (kept, held) = hold_out(&affinity, 0.1, &mut ChaCha8Rng::seed_from_u64(2)).unwrap();
        assert_eq!((kept.edges().len(), held.len()), (36, 4));
        assert!(held.iter().all(|([u, _], weight)| f64::from(*u) == *weight && *weight > 0.0));
        let links = Links::of(&SparseAffinity::new(4, vec![[0, 1], [2, 3]], vec![1.0, 1.0]).unwrap());
        let held = vec![([0, 1], 3.0), ([1, 2], 1.0)];
        assert!((modularity_of(&held, &links, &[0, 0, 1, 1], 2) - 0.25).abs() < 1e-12);
        assert_eq!(modularity_of(&Vec::new(), &links, &[0, 0, 1, 1], 2), 0.0);
    }
}
