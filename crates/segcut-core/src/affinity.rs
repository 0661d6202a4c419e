//! The similarity of nodes, as edges or as factors, behind one operator.

use ndarray::{Array1, Array2, Axis};
use sprs::{CsMat, TriMat};
use thiserror::Error;

/// Why edges or factors make no affinity.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum AffinityError {
    /// Edges and weights differ in number.
    #[error("{edges} edges have {weights} weights")]
    Length {
        /// Number of edges (or nodes, for a diagonal).
        edges: usize,
        /// Number of weights.
        weights: usize,
    },
    /// An edge is not (u, v) with u < v < n, or is out of order or repeated.
    #[error("edge {index} = ({u}, {v}) must have u < v < n = {n} and follow the edge before it")]
    Edge {
        /// Its place in the list.
        index: usize,
        /// First end.
        u: u32,
        /// Second end.
        v: u32,
        /// Number of nodes.
        n: usize,
    },
    /// A weight is NaN or infinite.
    #[error("weight {index} = {weight} is not finite")]
    NotFinite {
        /// Its place in the list.
        index: usize,
        /// The weight.
        weight: f64,
    },
}

/// A symmetric matrix given by its upper edges.
///
/// *Guarantees*: edges (u, v) with u < v < n, sorted by (u, v), no repeats; finite weights.
#[derive(Debug, Clone, PartialEq)]
pub struct SparseAffinity {
    n: usize,
    edges: Vec<[u32; 2]>,
    weights: Vec<f64>,
    diagonal: Option<Vec<f64>>,
}

impl SparseAffinity {
    /// Checks and takes sorted upper edges with their weights.
    ///
    /// # Errors
    /// [`AffinityError`] where a guarantee of the type does not hold.
    pub fn new(n: usize, edges: Vec<[u32; 2]>, weights: Vec<f64>) -> Result<Self, AffinityError> {
        if edges.len() != weights.len() {
            return Err(AffinityError::Length { edges: edges.len(), weights: weights.len() });
        }
        for (index, &[u, v]) in edges.iter().enumerate() {
            let in_order = index == 0 || edges[index - 1] < [u, v];
            if u >= v || v as usize >= n || !in_order {
                return Err(AffinityError::Edge { index, u, v, n });
            }
        }
        check_finite(&weights)?;
        Ok(Self { n, edges, weights, diagonal: None })
    }

    /// The same affinity with a diagonal (n values).
    ///
    /// # Errors
    /// [`AffinityError`] on a wrong length or a value that is not finite.
    pub fn with_diagonal(mut self, diagonal: Vec<f64>) -> Result<Self, AffinityError> {
        if diagonal.len() != self.n {
            return Err(AffinityError::Length { edges: self.n, weights: diagonal.len() });
        }
        check_finite(&diagonal)?;
        self.diagonal = Some(diagonal);
        Ok(self)
    }

    /// The same edges with other weights, in the same order.
    ///
    /// # Errors
    /// [`AffinityError`] on a wrong length or a value that is not finite.
    pub fn with_weights(&self, weights: Vec<f64>) -> Result<Self, AffinityError> {
        if self.edges.len() != weights.len() {
            return Err(AffinityError::Length { edges: self.edges.len(), weights: weights.len() });
        }
        check_finite(&weights)?;
        Ok(Self { weights, ..self.clone() })
    }

    /// Nodes.
    pub fn n(&self) -> usize {
        self.n
    }

    /// Upper edges, sorted.
    pub fn edges(&self) -> &[[u32; 2]] {
        &self.edges
    }

    /// One weight per edge.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The diagonal, where there is one.
    pub fn diagonal(&self) -> Option<&[f64]> {
        self.diagonal.as_deref()
    }

    /// Both triangles and the diagonal in compressed rows; explicit zeros are kept.
    pub fn csr(&self) -> CsMat<f64> {
        let mut triplets = TriMat::with_capacity((self.n, self.n), 2 * self.edges.len() + self.n);
        for (&[u, v], &w) in self.edges.iter().zip(&self.weights) {
            triplets.add_triplet(u as usize, v as usize, w);
            triplets.add_triplet(v as usize, u as usize, w);
        }
        for (i, &w) in self.diagonal.iter().flatten().enumerate() {
            triplets.add_triplet(i, i, w);
        }
        triplets.to_csr()
    }
}

/// max(F·Fᵀ, clip) + shift with a diagonal of its own, never formed.
///
/// Off the diagonal, W = F·Fᵀ, with negative values set to zero where `clip` is true, plus `shift`;
/// on it, `diagonal` where given and the formula otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct GramAffinity {
    /// n×d factors F.
    pub factors: Array2<f32>,
    /// Whether negative products count as zero.
    pub clip: bool,
    /// Added to every product, after clipping.
    pub shift: f64,
    /// The diagonal, where it is not the formula's.
    pub diagonal: Option<Vec<f64>>,
}

impl GramAffinity {
    /// The weight of nodes i and j.
    pub fn weight(&self, i: usize, j: usize) -> f64 {
        if let (true, Some(diagonal)) = (i == j, &self.diagonal) {
            return diagonal[i];
        }
        let rows = (self.factors.index_axis(Axis(0), i), self.factors.index_axis(Axis(0), j));
        let product: f64 = rows.0.iter().zip(rows.1).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
        self.shift + if self.clip { product.max(0.0) } else { product }
    }
}

/// The similarity of n nodes: symmetric and finite.
#[derive(Debug, Clone, PartialEq)]
pub enum Affinity {
    /// Edges with weights.
    Sparse(SparseAffinity),
    /// Factors of a dense matrix.
    Gram(GramAffinity),
}

impl Affinity {
    /// Nodes.
    pub fn n(&self) -> usize {
        match self {
            Self::Sparse(sparse) => sparse.n,
            Self::Gram(gram) => gram.factors.nrows(),
        }
    }

    /// The edges, where the affinity has them.
    pub fn sparse(&self) -> Option<&SparseAffinity> {
        match self {
            Self::Sparse(sparse) => Some(sparse),
            Self::Gram(_) => None,
        }
    }

    /// W·x.
    ///
    /// # Panics
    /// Where `x` does not have n values.
    ///
    /// # Cost
    /// Sparse: O(edges); Gram: O(n²·d), nothing of size n² is stored.
    pub fn apply(&self, x: &Array1<f64>) -> Array1<f64> {
        assert_eq!(x.len(), self.n(), "x has one value per node");
        match self {
            Self::Sparse(sparse) => apply_sparse(sparse, x),
            Self::Gram(gram) => {
                Array1::from_shape_fn(x.len(), |i| (0..x.len()).map(|j| gram.weight(i, j) * x[j]).sum())
            }
        }
    }

    /// Row sums, the diagonal included.
    pub fn degrees(&self) -> Array1<f64> {
        self.apply(&Array1::ones(self.n()))
    }

    /// The diagonal (zeros where there is none).
    pub fn diagonal(&self) -> Array1<f64> {
        match self {
            Self::Sparse(sparse) => {
                sparse.diagonal.as_ref().map_or_else(|| Array1::zeros(sparse.n), |d| Array1::from_vec(d.clone()))
            }
            Self::Gram(gram) => Array1::from_shape_fn(self.n(), |i| gram.weight(i, i)),
        }
    }

    /// Whether no weight is known to be below zero.
    pub fn is_nonnegative(&self) -> bool {
        match self {
            Self::Sparse(s) => s.weights.iter().chain(s.diagonal.iter().flatten()).all(|&w| w >= 0.0),
            Self::Gram(g) => {
                let entries = g.clip || g.factors.iter().all(|&f| f >= 0.0);
                entries && g.shift >= 0.0 && g.diagonal.iter().flatten().all(|&w| w >= 0.0)
            }
        }
    }
}

fn apply_sparse(sparse: &SparseAffinity, x: &Array1<f64>) -> Array1<f64> {
    let mut y = match &sparse.diagonal {
        Some(diagonal) => Array1::from_shape_fn(sparse.n, |i| diagonal[i] * x[i]),
        None => Array1::zeros(sparse.n),
    };
    for (&[u, v], &w) in sparse.edges.iter().zip(&sparse.weights) {
        let (u, v) = (u as usize, v as usize);
        y[u] += w * x[v];
        y[v] += w * x[u];
    }
    y
}

fn check_finite(weights: &[f64]) -> Result<(), AffinityError> {
    match weights.iter().position(|w| !w.is_finite()) {
        Some(index) => Err(AffinityError::NotFinite { index, weight: weights[index] }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn sparse_and_gram_agree() {
        let factors = array![[1.0f32, 0.0], [1.0, 1.0], [-1.0, 2.0]];
        let gram = GramAffinity { factors, clip: true, shift: 0.5, diagonal: Some(vec![0.0; 3]) };
        let edges = vec![[0, 1], [0, 2], [1, 2]];
        let weights = edges.iter().map(|&[u, v]: &[u32; 2]| gram.weight(u as usize, v as usize)).collect();
        let sparse = SparseAffinity::new(3, edges, weights).unwrap();
        let x = array![1.0, -2.0, 3.0];
        let (a, b) = (Affinity::Sparse(sparse), Affinity::Gram(gram));
        assert_eq!(a.apply(&x), b.apply(&x));
        assert_eq!(a.degrees(), array![2.0, 3.0, 2.0]);
        assert!(a.is_nonnegative() && b.is_nonnegative());
    }

    #[test]
    fn bad_edges_are_refused() {
        let edge = |edges: Vec<[u32; 2]>| SparseAffinity::new(3, edges.clone(), vec![1.0; edges.len()]);
        assert!(edge(vec![[0, 1], [1, 2]]).is_ok());
        for bad in [vec![[1, 0]], vec![[1, 1]], vec![[0, 3]], vec![[1, 2], [0, 1]], vec![[0, 1], [0, 1]]] {
            assert!(matches!(edge(bad), Err(AffinityError::Edge { .. })));
        }
        assert!(matches!(
            SparseAffinity::new(2, vec![[0, 1]], vec![f64::NAN]),
            Err(AffinityError::NotFinite { index: 0, .. })
        ));
    }

    #[test]
    fn csr_holds_both_triangles() {
        let sparse = SparseAffinity::new(2, vec![[0, 1]], vec![3.0]).unwrap().with_diagonal(vec![1.0, 2.0]).unwrap();
        let csr = sparse.csr();
        assert_eq!((csr.get(0, 1), csr.get(1, 0), csr.get(1, 1)), (Some(&3.0), Some(&3.0), Some(&2.0)));
    }
}
