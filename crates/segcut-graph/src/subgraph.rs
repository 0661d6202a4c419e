//! Graph and some of its nodes → the graph that these nodes induce.

use ndarray::Axis;
use segcut_core::{
    Affinity, AffinityError, EdgeColumns, FeatureBlock, Geometry, GramAffinity, GraphError, RegionGraph, SparseAffinity,
};
use thiserror::Error;

/// Why nodes induce no graph.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum SubgraphError {
    /// A node is not in the graph.
    #[error("node {node} is not below n = {n}")]
    Node {
        /// The node.
        node: u32,
        /// Nodes of the graph.
        n: usize,
    },
    /// A node is named twice.
    #[error("node {node} is named twice")]
    Repeated {
        /// The node.
        node: u32,
    },
    /// The parts make no affinity.
    #[error(transparent)]
    Affinity(#[from] AffinityError),
    /// The parts make no graph.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

/// The graph of some nodes: the edges between them and their rows of every column.
///
/// Node i of the result is `nodes[i]`; their order is free.
///
/// # Errors
/// [`SubgraphError`] where a node is not there or named twice.
///
/// # Cost
/// O(n + edges), plus sorting the kept edges.
///
/// # Examples
/// ```
/// use segcut_core::{Affinity, RegionGraph, SparseAffinity};
/// let path = SparseAffinity::new(3, vec![[0, 1], [1, 2]], vec![5.0, 7.0])?;
/// let part = segcut_graph::subgraph(&RegionGraph::new(Affinity::Sparse(path)), &[2, 1])?;
/// assert_eq!(part.affinity().sparse().unwrap().weights(), [7.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn subgraph(graph: &RegionGraph, nodes: &[u32]) -> Result<RegionGraph, SubgraphError> {
    let names = names(graph.n(), nodes)?;
    let (affinity, kept) = match graph.affinity() {
        Affinity::Sparse(sparse) => {
            let (sparse, kept) = induced(sparse, nodes, &names)?;
            (Affinity::Sparse(sparse), kept)
        }
        Affinity::Gram(gram) => (Affinity::Gram(rows_of(gram, nodes)), Vec::new()),
    };
    let features = graph.features().iter().map(|block| take_block(block, nodes)).collect();
    let columns = graph.edge_columns();
    let take = |column: &Option<Vec<f32>>| column.as_ref().map(|c| kept.iter().map(|&edge| c[edge]).collect());
    let columns = EdgeColumns {
        border_length: take(&columns.border_length),
        boundary_strength: take(&columns.boundary_strength),
        feature_distance: take(&columns.feature_distance),
    };
    let part = RegionGraph::new(affinity).with_features(features)?.with_edge_columns(columns)?;
    match graph.geometry() {
        Some(geometry) => Ok(part.with_geometry(take_geometry(geometry, nodes))?),
        None => Ok(part),
    }
}

const ABSENT: u32 = u32::MAX;

/// Old node → new node.
fn names(n: usize, nodes: &[u32]) -> Result<Vec<u32>, SubgraphError> {
    let mut names = vec![ABSENT; n];
    for (name, &node) in (0..).zip(nodes) {
        let place = names.get_mut(node as usize).ok_or(SubgraphError::Node { node, n })?;
        if *place != ABSENT {
            return Err(SubgraphError::Repeated { node });
        }
        *place = name;
    }
    Ok(names)
}

/// The kept edges under their new names, and which they were.
fn induced(
    sparse: &SparseAffinity,
    nodes: &[u32],
    names: &[u32],
) -> Result<(SparseAffinity, Vec<usize>), AffinityError> {
    let mut kept: Vec<([u32; 2], usize)> = Vec::new();
    for (index, edge) in sparse.edges().iter().enumerate() {
        let [u, v] = edge.map(|node| names[node as usize]);
        if u != ABSENT && v != ABSENT {
            kept.push(([u.min(v), u.max(v)], index));
        }
    }
    kept.sort_unstable();
    let weights = kept.iter().map(|&(_, index)| sparse.weights()[index]).collect();
    let part = SparseAffinity::new(nodes.len(), kept.iter().map(|&(edge, _)| edge).collect(), weights)?;
    let part = match sparse.diagonal() {
        Some(diagonal) => part.with_diagonal(nodes.iter().map(|&node| diagonal[node as usize]).collect())?,
        None => part,
    };
    Ok((part, kept.into_iter().map(|(_, index)| index).collect()))
}

fn rows_of(gram: &GramAffinity, nodes: &[u32]) -> GramAffinity {
    let indices: Vec<usize> = nodes.iter().map(|&node| node as usize).collect();
    GramAffinity {
        factors: gram.factors.select(Axis(0), &indices),
        diagonal: gram.diagonal.as_ref().map(|diagonal| indices.iter().map(|&i| diagonal[i]).collect()),
        ..*gram
    }
}

fn take_block(block: &FeatureBlock, nodes: &[u32]) -> FeatureBlock {
    let values = nodes.iter().flat_map(|&node| block.row(node as usize)).copied().collect();
    FeatureBlock { name: block.name.clone(), dims: block.dims, values, bins: block.bins.clone() }
}

fn take_geometry(geometry: &Geometry, nodes: &[u32]) -> Geometry {
    let at = |column: &[f64]| nodes.iter().map(|&node| column[node as usize]).collect();
    Geometry {
        image_size: geometry.image_size,
        size: at(&geometry.size),
        centroid: nodes.iter().map(|&node| geometry.centroid[node as usize]).collect(),
        border_share: at(&geometry.border_share),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn triangle() -> RegionGraph {
        let affinity = SparseAffinity::new(3, vec![[0, 1], [0, 2], [1, 2]], vec![1.0, 2.0, 3.0]).unwrap();
        let affinity = affinity.with_diagonal(vec![0.1, 0.2, 0.3]).unwrap();
        let block =
            FeatureBlock { name: "x".into(), dims: 2, values: vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0], bins: Vec::new() };
        let columns = EdgeColumns { border_length: Some(vec![10.0, 20.0, 30.0]), ..EdgeColumns::default() };
        let geometry = Geometry {
            image_size: [2, 3],
            size: vec![1.0, 2.0, 3.0],
            centroid: vec![[0.0; 2], [1.0; 2], [2.0; 2]],
            border_share: vec![0.5, 0.25, 0.25],
        };
        let graph = RegionGraph::new(Affinity::Sparse(affinity)).with_features(vec![block]).unwrap();
        graph.with_edge_columns(columns).unwrap().with_geometry(geometry).unwrap()
    }

    #[test]
    fn every_column_follows_its_nodes_and_edges() {
        let part = subgraph(&triangle(), &[2, 0]).unwrap();
        let sparse = part.affinity().sparse().unwrap();
        assert_eq!((sparse.edges(), sparse.weights()), (&[[0, 1]][..], &[2.0][..]));
        assert_eq!(sparse.diagonal(), Some(&[0.3, 0.1][..]));
        assert_eq!(part.features()[0].values, [4.0, 5.0, 0.0, 1.0]);
        assert_eq!(part.edge_columns().border_length, Some(vec![20.0]));
        let geometry = part.geometry().unwrap();
        assert_eq!((&geometry.size[..], geometry.centroid[0]), (&[3.0, 1.0][..], [2.0; 2]));
    }

    #[test]
    fn all_nodes_are_the_same_graph_and_none_are_empty() {
        assert_eq!(subgraph(&triangle(), &[0, 1, 2]).unwrap(), triangle());
        assert_eq!(subgraph(&triangle(), &[]).unwrap().n(), 0);
    }

    #[test]
    fn bad_nodes_are_named() {
        assert_eq!(subgraph(&triangle(), &[3]), Err(SubgraphError::Node { node: 3, n: 3 }));
        assert_eq!(subgraph(&triangle(), &[1, 1]), Err(SubgraphError::Repeated { node: 1 }));
    }

    #[test]
    fn gram_rows_are_taken() {
        let gram = GramAffinity { factors: array![[1.0f32], [2.0], [3.0]], clip: false, shift: 0.5, diagonal: None };
        let part = subgraph(&RegionGraph::new(Affinity::Gram(gram.clone())), &[2, 1]).unwrap();
        let Affinity::Gram(taken) = part.affinity() else { panic!("still factors") };
        assert_eq!(taken.weight(0, 1), gram.weight(2, 1));
    }
}
