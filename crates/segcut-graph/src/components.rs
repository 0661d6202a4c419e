//! Graph → its connected components.

use crate::cut_values::for_each_edge;
use segcut_core::{Affinity, Partition};

/// Nodes joined by edges of positive weight, numbered in the order of their first node.
///
/// # Cost
/// Nearly linear in the edges (union-find with path halving); all n² pairs for a Gram affinity.
///
/// # Examples
/// ```
/// use segcut_core::{Affinity, SparseAffinity};
/// let edges = vec![[0, 2], [1, 3]];
/// let graph = Affinity::Sparse(SparseAffinity::new(4, edges, vec![1.0, 0.0])?);
/// assert_eq!(segcut_graph::components(&graph).labels(), [0, 1, 0, 2]);
/// # Ok::<(), segcut_core::AffinityError>(())
/// ```
pub fn components(affinity: &Affinity) -> Partition {
    let mut parent: Vec<u32> = (0..affinity.n() as u32).collect();
    for_each_edge(affinity, |u, v, weight| {
        if weight > 0.0 {
            let (a, b) = (root(&mut parent, u as u32), root(&mut parent, v as u32));
            parent[a.max(b) as usize] = a.min(b);
        }
    });
    let roots: Vec<u32> = (0..affinity.n() as u32).map(|node| root(&mut parent, node)).collect();
    Partition::compact(&roots)
}

fn root(parent: &mut [u32], mut node: u32) -> u32 {
    while parent[node as usize] != node {
        parent[node as usize] = parent[parent[node as usize] as usize];
        node = parent[node as usize];
    }
    node
}
