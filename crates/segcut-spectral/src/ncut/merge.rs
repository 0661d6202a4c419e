//! Eigenvectors as evidence along borders, then greedy merging of the regions that touch.

use super::Ncut;
use crate::eigen::smallest;
use crate::pencil::Pencil;
use ndarray::{Array2, ArrayView2, s};
use segcut_core::{ClusterCount, Clustering, Context, MergeTree, Partition, RegionGraph, StageError};
use segcut_graph::{MergeCost, TreeCut};
use serde::{Deserialize, Serialize};

/// Eigenvalues below this count as this.
const LEAST_VALUE: f64 = 1e-6;

/// Parameters of `assign = "merge"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpectralMerge {
    /// Eigenvectors, those of eigenvalue 0 aside.
    pub vectors: usize,
    /// Factor of the eigenvectors' difference across a border.
    pub spectral: f64,
    /// The other terms of the merging cost.
    pub cost: MergeCost,
    /// Where the tree is cut under `k = "auto"`.
    pub cut: TreeCut,
}

impl Default for SpectralMerge {
    fn default() -> Self {
        Self { vectors: 24, spectral: 0.097, cost: MergeCost::default(), cut: TreeCut::default() }
    }
}

impl SpectralMerge {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`] with the parameter's name.
    pub fn check(&self) -> Result<(), StageError> {
        if self.vectors < 1 {
            return Err(StageError::parameter("cluster.merge.vectors", self.vectors, "at least 1"));
        }
        if !(self.spectral >= 0.0 && self.spectral.is_finite()) {
            return Err(StageError::parameter("cluster.merge.spectral", self.spectral, "a finite number from 0"));
        }
        self.cost.check()?;
        self.cut.check()
    }

    /// Eigenvectors of a graph, or other columns with a value each → its merge tree, cut into clusters.
    ///
    /// The cost of a border gains spectral · Σ_k |v_ki − v_kj| / √λ_k over the columns v_k, each of unit variance over
    /// the image: Arbeláez et al. 2011, eq. 13, with differences of regions for gradients of pixels.
    ///
    /// # Shapes
    /// `columns` has a row per node and a column per value; those after the first `vectors` are not read.
    ///
    /// # Errors
    /// [`MergeCostError`](segcut_graph::MergeCostError) as [`StageError::Data`].
    pub fn regions(
        &self,
        graph: &RegionGraph,
        columns: ArrayView2<'_, f64>,
        values: &[f64],
        k: ClusterCount,
    ) -> Result<(Partition, MergeTree), StageError> {
        let sizes = graph.geometry().map_or_else(|| vec![1.0; graph.n()], |geometry| geometry.size.clone());
        let read = self.vectors.min(columns.ncols());
        let rows = unit_variance(columns.slice(s![.., ..read]), values, &sizes);
        let difference = |&[u, v]: &[u32; 2]| {
            let pairs = rows.row(u as usize).into_iter().zip(rows.row(v as usize));
            self.spectral * pairs.map(|(a, b)| (a - b).abs()).sum::<f64>()
        };
        let edges = graph.affinity().sparse().map_or(&[][..], |affinity| affinity.edges());
        let more: Vec<f64> = edges.iter().map(difference).collect();
        let tree = self.cost.tree(graph, Some(&more)).map_err(StageError::data)?;
        let (partition, own_cut) = (self.cut.cut(&tree, k), self.cut.height(&tree));
        Ok((partition, tree.with_own_cut(own_cut)))
    }
}

impl Ncut {
    /// Merging by the eigenvectors that are not constant on a component.
    pub(super) fn merge(
        &self,
        graph: &RegionGraph,
        pencil: &Pencil,
        context: &Context,
    ) -> Result<Clustering, StageError> {
        let p = &self.params.merge;
        let trivial = pencil.resolved_components().len();
        let spectrum = smallest(pencil, &self.eigen_params((p.vectors + trivial).min(pencil.n())), context)?;
        let constant = trivial.min(spectrum.values.len());
        let columns = spectrum.vectors.slice(s![.., constant..]);
        let (partition, tree) = p.regions(graph, columns, &spectrum.values[constant..], self.params.k)?;
        let notes = self.notes(&spectrum, partition.k());
        Ok(Clustering {
            partition,
            status: spectrum.status,
            notes,
            soft: None,
            embedding: Some(spectrum.vectors),
            eigenvalues: Some(spectrum.values),
            tree: Some(tree),
            steps: Vec::new(),
            losses: Vec::new(),
        })
    }
}

/// v_k less its mean, over its standard deviation and √λ_k, both weighted by size: n rows.
fn unit_variance(columns: ArrayView2<'_, f64>, values: &[f64], sizes: &[f64]) -> Array2<f64> {
    let total = sizes.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    let mut rows = columns.to_owned();
    for (mut column, &value) in rows.columns_mut().into_iter().zip(values) {
        let mean = column.iter().zip(sizes).map(|(v, size)| v * size).sum::<f64>() / total;
        let squares = column.iter().zip(sizes).map(|(v, size)| (v - mean).powi(2) * size);
        let deviation = (squares.sum::<f64>() / total).sqrt() + 1e-12;
        let scale = 1.0 / (deviation * value.max(LEAST_VALUE).sqrt());
        column.mapv_inplace(|v| (v - mean) * scale);
    }
    rows
}

#[cfg(test)]
mod tests {
    use crate::{Assign, Ncut, NcutParams, SpectralMerge};
    use segcut_core::{Affinity, ClusterCount, Clusterer, Context, RegionGraph, SparseAffinity};
    use segcut_graph::{MergeCost, TreeCut};

    /// Three cliques of four in a row, joined by weak edges.
    fn cliques() -> RegionGraph {
        let (mut edges, mut weights) = (Vec::new(), Vec::new());
        for u in 0..12u32 {
            for v in u + 1..12 {
                let (same, next) = (u / 4 == v / 4, v == u + 1);
                if same || next {
                    edges.push([u, v]);
                    weights.push(if same { 1.0 } else { 0.05 });
                }
            }
        }
        RegionGraph::new(Affinity::Sparse(SparseAffinity::new(12, edges, weights).unwrap()))
    }

    fn params(k: ClusterCount) -> NcutParams {
        let cost = MergeCost { boundary: 0.0, size_exponent: 0.0, ..MergeCost::default() };
        let merge = SpectralMerge {
            vectors: 2,
            spectral: 1.0,
            cost,
            cut: TreeCut { threshold: 4.0, last_exponent: 0.0, last_k: 2 },
        };
        NcutParams { k, assign: Assign::Merge, merge, ..NcutParams::default() }
    }

    #[test]
    fn cliques_are_merged_first() {
        for k in [ClusterCount::Auto, ClusterCount::Fixed(3)] {
            let found = Ncut::new(params(k)).unwrap().cluster(&cliques(), &Context::default()).unwrap();
            assert_eq!(found.partition.labels(), [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
            assert!(found.tree.is_some() && found.eigenvalues.unwrap().len() == 3);
        }
    }

    #[test]
    fn components_stay_apart_and_one_node_is_one_cluster() {
        let affinity = SparseAffinity::new(5, vec![[0, 1], [2, 3]], vec![1.0, 1.0]).unwrap();
        let graph = RegionGraph::new(Affinity::Sparse(affinity));
        let ncut = Ncut::new(params(ClusterCount::Auto)).unwrap();
        assert!(ncut.cluster(&graph, &Context::default()).unwrap().partition.k() >= 3);
        let one = RegionGraph::new(Affinity::Sparse(SparseAffinity::new(1, vec![], vec![]).unwrap()));
        assert_eq!(ncut.cluster(&one, &Context::default()).unwrap().partition.k(), 1);
    }

    #[test]
    fn bad_parameters_are_named() {
        let mut bad = params(ClusterCount::Auto);
        bad.merge.vectors = 0;
        assert!(Ncut::new(bad).unwrap_err().to_string().starts_with("cluster.merge.vectors = 0"));
    }
}
