//! Graph and partition → the graph of its clusters.

use crate::cut_values::{PartitionSize, for_each_edge};
use crate::pair_table::PairTable;
use segcut_core::{
    Affinity, AffinityError, EdgeColumns, FeatureBlock, Geometry, GraphError, Partition, RegionGraph, SparseAffinity,
};
use thiserror::Error;

/// Why a graph cannot be contracted.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ContractError {
    /// The partition belongs to another graph.
    #[error(transparent)]
    Partition(#[from] PartitionSize),
    /// The summed weights make no affinity.
    #[error(transparent)]
    Affinity(#[from] AffinityError),
    /// The columns make no graph.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

/// The graph whose nodes are the clusters of a partition.
///
/// Weights between two clusters are summed; the weight inside a cluster becomes its diagonal (each
/// edge twice), so that degrees, cuts and volumes are those of the graph. Features are means weighted
/// by the regions' sizes (by nodes, without geometry), border lengths are summed, boundary
/// strengths are means weighted by border length (0 without one), feature distances are left out.
///
/// # Errors
/// [`ContractError`].
///
/// # Cost
/// O(edges), plus sorting the clusters' edges; O(n²·d) for a Gram affinity, which becomes sparse.
///
/// # Examples
/// ```
/// use segcut_core::{Affinity, Partition, RegionGraph, SparseAffinity};
/// let path = SparseAffinity::new(3, vec![[0, 1], [1, 2]], vec![5.0, 7.0])?;
/// let graph = RegionGraph::new(Affinity::Sparse(path));
/// let small = segcut_graph::contract(&graph, &Partition::new(vec![0, 0, 1], 2)?)?;
/// let sparse = small.affinity().sparse().unwrap();
/// assert_eq!((sparse.weights(), sparse.diagonal()), (&[7.0][..], Some(&[10.0, 0.0][..])));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn contract(graph: &RegionGraph, partition: &Partition) -> Result<RegionGraph, ContractError> {
    if partition.n() != graph.n() {
        return Err(PartitionSize { partition: partition.n(), graph: graph.n() }.into());
    }
    let (affinity, columns) = sum_edges(graph, partition)?;
    let sizes = graph.geometry().map_or_else(|| vec![1.0; graph.n()], |geometry| geometry.size.clone());
    let features = graph.features().iter().map(|block| mean_block(block, partition, &sizes)).collect();
    let small = RegionGraph::new(Affinity::Sparse(affinity)).with_features(features)?.with_edge_columns(columns)?;
    match graph.geometry() {
        Some(geometry) => Ok(small.with_geometry(sum_geometry(geometry, partition))?),
        None => Ok(small),
    }
}

/// What is summed over the edges between two clusters.
#[derive(Default, Clone)]
struct Between {
    weight: f64,
    length: f64,
    strength: f64,
}

fn sum_edges(graph: &RegionGraph, partition: &Partition) -> Result<(SparseAffinity, EdgeColumns), AffinityError> {
    let columns = graph.edge_columns();
    let at = |column: &Option<Vec<f32>>, edge: usize| column.as_ref().map_or(0.0, |c| f64::from(c[edge]));
    let mut diagonal = vec![0.0; partition.k()];
    for (&label, &weight) in partition.labels().iter().zip(&graph.affinity().diagonal()) {
        diagonal[label as usize] += weight;
    }
    let (mut table, mut sums) = (PairTable::new(), Vec::<Between>::new());
    let mut edge = 0;
    for_each_edge(graph.affinity(), |u, v, weight| {
        let (a, b) = (partition.labels()[u], partition.labels()[v]);
        if a == b {
            diagonal[a as usize] += 2.0 * weight;
        } else {
            let number = table.number(a.min(b), a.max(b));
            sums.resize(table.len(), Between::default());
            let length = at(&columns.border_length, edge);
            sums[number].weight += weight;
            sums[number].length += length;
            sums[number].strength += length * at(&columns.boundary_strength, edge);
        }
        edge += 1;
    });
    let sorted = table.sorted();
    let column =
        |of: &dyn Fn(&Between) -> f64| -> Vec<f64> { sorted.iter().map(|&(_, i)| of(&sums[i as usize])).collect() };
    let as_f32 = |values: Vec<f64>| values.into_iter().map(|v| v as f32).collect();
    let edges = sorted.iter().map(|&(pair, _)| pair).collect();
    let affinity = SparseAffinity::new(partition.k(), edges, column(&|b| b.weight))?.with_diagonal(diagonal)?;
    let mean = |b: &Between| if b.length > 0.0 { b.strength / b.length } else { 0.0 };
    let lengths = columns.border_length.as_ref().map(|_| as_f32(column(&|b| b.length)));
    let strengths = columns.boundary_strength.as_ref().map(|_| as_f32(column(&mean)));
    Ok((affinity, EdgeColumns { border_length: lengths, boundary_strength: strengths, feature_distance: None }))
}

fn mean_block(block: &FeatureBlock, partition: &Partition, sizes: &[f64]) -> FeatureBlock {
    let mut sums = vec![0.0; partition.k() * block.dims];
    let totals = sum_by(partition, sizes);
    for (node, &label) in partition.labels().iter().enumerate() {
        for (sum, &value) in sums[label as usize * block.dims..].iter_mut().zip(block.row(node)) {
            *sum += sizes[node] * f64::from(value);
        }
    }
    let mean = |(i, sum): (usize, f64)| {
        let total = totals[i / block.dims];
        if total > 0.0 { (sum / total) as f32 } else { 0.0 }
    };
    let values = sums.into_iter().enumerate().map(mean).collect();
    FeatureBlock { name: block.name.clone(), dims: block.dims, values, bins: block.bins.clone() }
}

fn sum_by(partition: &Partition, values: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; partition.k()];
    for (&label, &value) in partition.labels().iter().zip(values) {
        sums[label as usize] += value;
    }
    sums
}

fn sum_geometry(geometry: &Geometry, partition: &Partition) -> Geometry {
    let size = sum_by(partition, &geometry.size);
    let axis = |axis: usize| -> Vec<f64> {
        let weighted = geometry.centroid.iter().zip(&geometry.size).map(|(c, &size)| c[axis] * size);
        sum_by(partition, &weighted.collect::<Vec<_>>())
    };
    let mean = |((row, column), &size): ((f64, f64), &f64)| [row / size.max(1.0), column / size.max(1.0)];
    let centroid = axis(0).into_iter().zip(axis(1)).zip(&size).map(mean).collect();
    let border_share = sum_by(partition, &geometry.border_share);
    Geometry { image_size: geometry.image_size, size, centroid, border_share }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Rag, RagParams, cut_values};
    use segcut_core::{Context, FeatureMap, GraphBuilder, Grid, LabelMap};

    fn build(labels: &LabelMap) -> RegionGraph {
        let (height, width) = (labels.height(), labels.width());
        let ramp = |step: usize| (0..height * width).map(|i| ((i * step) % 17) as f32).collect();
        let maps = [
            FeatureMap::held("x", Grid::pixels(height, width), 1, ramp(5)).unwrap(),
            FeatureMap::held("contour", Grid::pixels(height, width), 1, ramp(3)).unwrap(),
        ];
        Rag::new(RagParams::default()).unwrap().build(labels, &maps, &Context::default()).unwrap()
    }

    #[test]
    fn the_graph_of_clusters_is_the_graph_of_the_merged_regions() {
        let fine = LabelMap::new(6, 6, (0..36).map(|i| i / 12 * 3 + i % 6 / 2).collect()).unwrap();
        let partition = Partition::new(vec![0, 0, 1, 0, 2, 1, 2, 2, 2], 3).unwrap();
        let merged = fine.labels().iter().map(|&l| partition.labels()[l as usize]).collect();
        let small = contract(&build(&fine), &partition).unwrap();
        let direct = build(&LabelMap::new(6, 6, merged).unwrap());
        assert_eq!(small.affinity().sparse().unwrap().edges(), direct.affinity().sparse().unwrap().edges());
        assert_eq!(small.edge_columns().border_length, direct.edge_columns().border_length);
        let close = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
        let strength = |graph: &RegionGraph| graph.edge_columns().boundary_strength.clone().unwrap();
        assert!(close(&strength(&small), &strength(&direct)));
        assert!(close(&small.features()[0].values, &direct.features()[0].values));
        let (a, b) = (small.geometry().unwrap(), direct.geometry().unwrap());
        assert_eq!((&a.size, &a.centroid), (&b.size, &b.centroid));
    }

    #[test]
    fn cuts_of_clusters_are_cuts_of_nodes() {
        let graph = build(&LabelMap::new(6, 6, (0..36).map(|i| i / 12 * 3 + i % 6 / 2).collect()).unwrap());
        let partition = Partition::new(vec![0, 0, 1, 0, 2, 1, 2, 2, 2], 3).unwrap();
        let small = contract(&graph, &partition).unwrap();
        let nodes = cut_values(graph.affinity(), &partition).unwrap();
        let clusters = cut_values(small.affinity(), &Partition::singletons(3)).unwrap();
        for (a, b) in [
            (nodes.ncut(), clusters.ncut()),
            (nodes.modularity(), clusters.modularity()),
            (nodes.conductance(), clusters.conductance()),
        ] {
            assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
    }
}
