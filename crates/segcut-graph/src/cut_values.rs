//! Partition of a graph → cut, N-cut, ratio cut, Cheeger value, conductance, modularity.

use segcut_core::{Affinity, Partition};
use thiserror::Error;

/// A partition that belongs to another graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the partition has {partition} nodes, the graph {graph}")]
pub struct PartitionSize {
    /// Nodes of the partition.
    pub partition: usize,
    /// Nodes of the graph.
    pub graph: usize,
}

/// Per cluster what every cut criterion is made of.
///
/// With d_i = Σ_j w_ij (diagonal included): `cut[c]` = Σ w_ij over i in c, j outside; `volume[c]` =
/// Σ d_i over i in c; `inside[c]` = Σ w_ij over ordered pairs i, j in c. A diagonal entry is never cut;
/// it counts once in `volume` and once in `inside`.
#[derive(Debug, Clone, PartialEq)]
pub struct CutValues {
    /// Weight from the cluster to all others.
    pub cut: Vec<f64>,
    /// Sum of the degrees.
    pub volume: Vec<f64>,
    /// Weight inside, each edge twice.
    pub inside: Vec<f64>,
    /// Nodes.
    pub size: Vec<usize>,
}

/// Partition of a graph → its cut values, summed edge by edge.
///
/// Nothing is a difference of sums, so a cut of 1e-300 beside a volume of 1 keeps its digits.
///
/// # Errors
/// [`PartitionSize`].
///
/// # Cost
/// O(edges) for a sparse affinity, O(n²·d) for a Gram affinity.
///
/// # Examples
/// ```
/// use segcut_core::{Affinity, Partition, SparseAffinity};
/// let edges = vec![[0, 1], [1, 2], [2, 3]];
/// let path = Affinity::Sparse(SparseAffinity::new(4, edges, vec![2.0, 1.0, 2.0])?);
/// let halves = segcut_graph::cut_values(&path, &Partition::new(vec![0, 0, 1, 1], 2)?)?;
/// assert_eq!(halves.total(), 1.0);
/// assert_eq!(halves.ncut(), 2.0 / 5.0);
/// assert_eq!(halves.ratio_cut(), 1.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn cut_values(affinity: &Affinity, partition: &Partition) -> Result<CutValues, PartitionSize> {
    if partition.n() != affinity.n() {
        return Err(PartitionSize { partition: partition.n(), graph: affinity.n() });
    }
    let k = partition.k();
    let zeros = || vec![0.0; k];
    let mut found = CutValues { cut: zeros(), volume: zeros(), inside: zeros(), size: partition.sizes() };
    for_each_edge(affinity, |u, v, weight| {
        let (a, b) = (partition.labels()[u] as usize, partition.labels()[v] as usize);
        found.add(a, b, weight);
    });
    if has_diagonal(affinity) {
        for (&label, &weight) in partition.labels().iter().zip(&affinity.diagonal()) {
            found.volume[label as usize] += weight;
            found.inside[label as usize] += weight;
        }
    }
    Ok(found)
}

/// Calls `visit(u, v, weight)` for every pair u < v: the edges, or all pairs of a Gram affinity.
pub(crate) fn for_each_edge(affinity: &Affinity, mut visit: impl FnMut(usize, usize, f64)) {
    match affinity {
        Affinity::Sparse(sparse) => {
            for (&[u, v], &weight) in sparse.edges().iter().zip(sparse.weights()) {
                visit(u as usize, v as usize, weight);
            }
        }
        Affinity::Gram(gram) => {
            for u in 0..affinity.n() {
                (u + 1..affinity.n()).for_each(|v| visit(u, v, gram.weight(u, v)));
            }
        }
    }
}

fn has_diagonal(affinity: &Affinity) -> bool {
    affinity.sparse().is_none_or(|sparse| sparse.diagonal().is_some())
}

impl CutValues {
    fn add(&mut self, a: usize, b: usize, weight: f64) {
        self.volume[a] += weight;
        self.volume[b] += weight;
        if a == b {
            self.inside[a] += 2.0 * weight;
        } else {
            self.cut[a] += weight;
            self.cut[b] += weight;
        }
    }

    /// Weight between clusters, each edge once.
    pub fn total(&self) -> f64 {
        self.cut.iter().sum::<f64>() / 2.0
    }

    /// Σ cut / volume (Shi & Malik 2000, eq. 2, for any k). A cluster without volume adds 0.
    pub fn ncut(&self) -> f64 {
        self.per_volume().sum()
    }

    /// Σ cut / size. An empty cluster adds 0.
    pub fn ratio_cut(&self) -> f64 {
        self.per_size().sum()
    }

    /// The largest cut / volume; for two clusters this is cut / min(volume).
    pub fn cheeger(&self) -> f64 {
        self.per_volume().fold(0.0, f64::max)
    }

    /// The largest cut / size.
    pub fn ratio_cheeger(&self) -> f64 {
        self.per_size().fold(0.0, f64::max)
    }

    /// Mean over non-empty clusters of cut / min(volume, volume of the rest).
    pub fn conductance(&self) -> f64 {
        let pairs = self.volume.iter().zip(rest(&self.volume));
        let smaller = pairs.map(|(&volume, rest)| volume.min(rest));
        let sum: f64 = self.cut.iter().zip(smaller).map(|(&cut, volume)| share(cut, volume)).sum();
        sum / self.size.iter().filter(|&&size| size > 0).count().max(1) as f64
    }

    /// Σ inside / V − (volume / V)², V the volume of the graph (Newman 2006); 0 for a graph without edges.
    pub fn modularity(&self) -> f64 {
        let all: f64 = self.volume.iter().sum();
        let terms = self.inside.iter().zip(&self.volume);
        terms.map(|(&inside, &volume)| share(inside, all) - share(volume, all).powi(2)).sum()
    }

    fn per_volume(&self) -> impl Iterator<Item = f64> {
        self.cut.iter().zip(&self.volume).map(|(&cut, &volume)| share(cut, volume))
    }

    fn per_size(&self) -> impl Iterator<Item = f64> {
        self.cut.iter().zip(&self.size).map(|(&cut, &size)| share(cut, size as f64))
    }
}

/// Per entry the sum of all others, as a sum from both ends.
fn rest(values: &[f64]) -> Vec<f64> {
    let mut rest = vec![0.0; values.len()];
    let (mut before, mut after) = (0.0, 0.0);
    for (i, &value) in values.iter().enumerate() {
        rest[i] += before;
        before += value;
    }
    for (i, &value) in values.iter().enumerate().rev() {
        rest[i] += after;
        after += value;
    }
    rest
}

/// part / whole, and 0 where the whole is not positive.
fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use segcut_core::{GramAffinity, SparseAffinity};

    #[test]
    fn a_partition_of_another_graph_is_refused() {
        let graph = Affinity::Sparse(SparseAffinity::new(2, vec![], vec![]).unwrap());
        let error = cut_values(&graph, &Partition::whole(3)).unwrap_err();
        assert_eq!(error, PartitionSize { partition: 3, graph: 2 });
    }

    #[test]
    fn gram_and_sparse_agree() {
        let factors = array![[1.0f32, 0.0], [1.0, 1.0], [0.0, 2.0]];
        let gram = GramAffinity { factors, clip: true, shift: 0.0, diagonal: None };
        let weights = vec![gram.weight(0, 1), gram.weight(0, 2), gram.weight(1, 2)];
        let sparse = SparseAffinity::new(3, vec![[0, 1], [0, 2], [1, 2]], weights).unwrap();
        let sparse = sparse.with_diagonal((0..3).map(|i| gram.weight(i, i)).collect()).unwrap();
        let partition = Partition::new(vec![0, 1, 1], 3).unwrap();
        let a = cut_values(&Affinity::Gram(gram), &partition).unwrap();
        assert_eq!(a, cut_values(&Affinity::Sparse(sparse), &partition).unwrap());
        assert_eq!((a.cut, a.volume, a.inside), (vec![1.0, 1.0, 0.0], vec![2.0, 11.0, 0.0], vec![1.0, 10.0, 0.0]));
    }

    #[test]
    fn graphs_without_edges_have_zeros() {
        let graph = Affinity::Sparse(SparseAffinity::new(3, vec![], vec![]).unwrap());
        let found = cut_values(&graph, &Partition::singletons(3)).unwrap();
        let values = [found.ncut(), found.ratio_cut(), found.cheeger(), found.conductance(), found.modularity()];
        assert_eq!(values, [0.0; 5]);
    }

    #[test]
    fn a_tiny_cut_keeps_its_digits() {
        let edges = vec![[0, 1], [1, 2], [2, 3]];
        let graph = Affinity::Sparse(SparseAffinity::new(4, edges, vec![1.0, 1e-300, 1.0]).unwrap());
        let found = cut_values(&graph, &Partition::new(vec![0, 0, 1, 1], 2).unwrap()).unwrap();
        assert_eq!(found.ncut(), 1e-300);
    }
}
