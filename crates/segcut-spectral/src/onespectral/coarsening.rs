//! A graph to a sequence of smaller ones by heavy-edge matching.

use crate::pencil::Pencil;

/// A coarser graph and where the finer one's nodes are in it.
pub(super) struct Level {
    pub(super) graph: Pencil,
    /// The coarse node of every finer node.
    pub(super) parent: Vec<u32>,
}

/// Coarser and coarser graphs, until at most `target` nodes are left or matching hardly makes a graph smaller.
///
/// Karypis & Kumar 1998: every node, lightest first, joins the free neighbor of the heaviest edge. Differs by the
/// weight of an edge, which is divided by the masses of its ends, so that no cluster outgrows the others; a node
/// whose neighbors are all taken joins the best of them.
pub(super) fn coarser_graphs(pencil: &Pencil, target: usize) -> Vec<Level> {
    let mut levels: Vec<Level> = Vec::new();
    loop {
        let fine = levels.last().map_or(pencil, |level| &level.graph);
        if fine.n() <= target {
            return levels;
        }
        let (parent, k) = matched(fine);
        if k as f64 > 0.9 * fine.n() as f64 {
            return levels;
        }
        let graph = fine.contracted(&parent, k);
        levels.push(Level { graph, parent });
    }
}

/// The cluster of every node, and their number.
fn matched(pencil: &Pencil) -> (Vec<u32>, usize) {
    const FREE: u32 = u32::MAX;
    let mass = pencil.mass();
    let mut order: Vec<u32> = (0..pencil.n() as u32).collect();
    order.sort_by(|&a, &b| mass[a as usize].total_cmp(&mass[b as usize]));
    let mut cluster = vec![FREE; pencil.n()];
    let mut k = 0u32;
    for &i in &order {
        if cluster[i as usize] != FREE {
            continue;
        }
        let (neighbors, weights) = pencil.row(i as usize);
        let rated = neighbors.iter().zip(weights).map(|(&j, w)| (w / mass[j as usize].max(f64::MIN_POSITIVE), j));
        let heaviest = |a: (f64, u32), b: (f64, u32)| if b.0 > a.0 { b } else { a };
        let free = rated.clone().filter(|&(_, j)| cluster[j as usize] == FREE).reduce(heaviest);
        match (free, rated.reduce(heaviest)) {
            (Some((_, j)), _) => {
                cluster[i as usize] = k;
                cluster[j as usize] = k;
                k += 1;
            }
            (None, Some((_, j))) => cluster[i as usize] = cluster[j as usize],
            (None, None) => {
                cluster[i as usize] = k;
                k += 1;
            }
        }
    }
    (cluster, k as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pencil::Laplacian;
    use segcut_core::SparseAffinity;

    #[test]
    fn heavy_edges_are_contracted_and_sums_stay() {
        let edges: Vec<[u32; 2]> = (0..99).map(|i| [i, i + 1]).collect();
        let weights = (0..99).map(|i| if i % 2 == 0 { 5.0 } else { 1.0 }).collect();
        let path = SparseAffinity::new(100, edges, weights).unwrap();
        let pencil = Pencil::new(&path, Laplacian::Normalized, 0.0).unwrap();
        let levels = coarser_graphs(&pencil, 10);
        assert!(levels.last().unwrap().graph.n() <= 10);
        assert_eq!(
            levels[0].parent[..4],
            [levels[0].parent[0]; 2].iter().chain(&[levels[0].parent[2]; 2]).copied().collect::<Vec<_>>()[..]
        );
        let total: f64 = pencil.mass().iter().sum();
        for level in &levels {
            assert!((level.graph.mass().iter().sum::<f64>() - total).abs() < 1e-9);
        }
    }
}
