//! A graph → mini-batches of nodes with sampled neighbours.

use super::links::Links;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// The nodes of one pass in batches: every node starts one batch, and up to `neighbors` of its neighbours, drawn
/// without replacement, come with it (Hamilton et al. 2017, section 3.1, one step deep). Nodes of a batch ascend.
pub(crate) fn batches(links: &Links, size: usize, neighbors: usize, random: &mut ChaCha8Rng) -> Vec<Vec<u32>> {
    let mut order: Vec<u32> = (0..links.n() as u32).collect();
    order.shuffle(random);
    let with_neighbors = |starts: &[u32]| {
        let mut nodes = starts.to_vec();
        for &start in starts {
            let row = links.offsets[start as usize]..links.offsets[start as usize + 1];
            if row.len() <= neighbors {
                nodes.extend_from_slice(&links.nodes[row]);
            } else {
                let mut row = links.nodes[row].to_vec();
                nodes.extend_from_slice(row.partial_shuffle(random, neighbors).0);
            }
        }
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    };
    order.chunks(size.max(1)).map(with_neighbors).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use segcut_core::SparseAffinity;

    #[test]
    fn every_node_starts_once_and_brings_few_neighbours() {
        let star: Vec<[u32; 2]> = (1..40).map(|leaf| [0, leaf]).collect();
        let links = Links::of(&SparseAffinity::new(40, star, vec![1.0; 39]).unwrap());
        let found = batches(&links, 1, 3, &mut ChaCha8Rng::seed_from_u64(0));
        assert_eq!(found.len(), 40);
        let mut sizes: Vec<usize> = found.iter().map(Vec::len).collect();
        sizes.sort_unstable();
        assert_eq!((sizes[0], sizes[38], sizes[39]), (2, 2, 4));
        assert!(found.iter().all(|nodes| nodes.is_sorted()));
    }
}
