//! An affinity as the product with a thin matrix, in single precision.

use ndarray::{Array1, Array2, ArrayView2, Axis};
use segcut_core::{Affinity, GramAffinity, SparseAffinity};

/// W·S for n×K memberships S.
#[derive(Debug)]
pub(crate) enum Operator {
    /// Both directions of every edge, by row, and the diagonal.
    Sparse { offsets: Vec<usize>, nodes: Vec<u32>, weights: Vec<f32>, diagonal: Option<Vec<f32>> },
    /// The matrix.
    Dense(Array2<f32>),
    /// F·Fᵀ + shift, and what the diagonal has beyond that.
    Factors { factors: Array2<f32>, shift: f32, diagonal: Option<Vec<f32>> },
}

impl Operator {
    /// The affinity + shift, diagonal included: on the edges of a sparse affinity, on all pairs of factors.
    pub(crate) fn new(affinity: &Affinity, shift: f64) -> Self {
        match affinity {
            Affinity::Sparse(sparse) => sparse_rows(sparse, shift),
            Affinity::Gram(gram) if gram.clip => Self::Dense(formed(gram, shift)),
            Affinity::Gram(gram) => {
                let extra = gram.diagonal.as_ref().map(|diagonal| {
                    let norms = gram.factors.rows().into_iter().map(|row| row.dot(&row) + gram.shift as f32);
                    diagonal.iter().zip(norms).map(|(&d, norm)| d as f32 - norm).collect()
                });
                Self::Factors { factors: gram.factors.clone(), shift: (gram.shift + shift) as f32, diagonal: extra }
            }
        }
    }

    /// W·S.
    pub(crate) fn apply(&self, s: ArrayView2<'_, f32>) -> Array2<f32> {
        match self {
            Self::Sparse { offsets, nodes, weights, diagonal } => {
                let mut out = Array2::zeros(s.raw_dim());
                for (i, mut row) in out.rows_mut().into_iter().enumerate() {
                    for at in offsets[i]..offsets[i + 1] {
                        row.scaled_add(weights[at], &s.row(nodes[at] as usize));
                    }
                    if let Some(diagonal) = diagonal {
                        row.scaled_add(diagonal[i], &s.row(i));
                    }
                }
                out
            }
            Self::Dense(matrix) => thin_product(matrix, s),
            Self::Factors { factors, shift, diagonal } => {
                let mut out = factors.dot(&factors.t().dot(&s));
                let sums = s.sum_axis(Axis(0)) * *shift;
                out += &sums;
                for (i, &extra) in diagonal.iter().flatten().enumerate() {
                    out.row_mut(i).scaled_add(extra, &s.row(i));
                }
                out
            }
        }
    }

    /// Row sums, the diagonal included.
    pub(crate) fn degrees(&self, n: usize) -> Array1<f32> {
        self.apply(Array2::ones((n, 1)).view()).remove_axis(Axis(1))
    }
}

/// max(F·Fᵀ, 0) or F·Fᵀ with the diagonal that is given, + shift.
pub(crate) fn formed(gram: &GramAffinity, shift: f64) -> Array2<f32> {
    let mut matrix = gram.factors.dot(&gram.factors.t());
    let add = (gram.shift + shift) as f32;
    matrix.mapv_inplace(|w| add + if gram.clip { w.max(0.0) } else { w });
    if let Some(diagonal) = &gram.diagonal {
        matrix.diag_mut().iter_mut().zip(diagonal).for_each(|(m, &d)| *m = (d + shift) as f32);
    }
    matrix
}

/// Columns beyond which a general product is faster than one dot product per column.
const THIN: usize = 16;

/// A wide matrix times a thin one, reading every row of the wide one once.
fn thin_product(matrix: &Array2<f32>, s: ArrayView2<'_, f32>) -> Array2<f32> {
    if s.ncols() > THIN {
        return matrix.dot(&s);
    }
    let columns = s.t().as_standard_layout().into_owned();
    let mut out = Array2::zeros((matrix.nrows(), s.ncols()));
    for (row, mut result) in matrix.rows().into_iter().zip(out.rows_mut()) {
        for (column, value) in columns.rows().into_iter().zip(&mut result) {
            *value = row.dot(&column);
        }
    }
    out
}

fn sparse_rows(matrix: &SparseAffinity, shift: f64) -> Operator {
    let mut counts = vec![0; matrix.n() + 1];
    for &[u, v] in matrix.edges() {
        counts[u as usize + 1] += 1;
        counts[v as usize + 1] += 1;
    }
    (0..matrix.n()).for_each(|i| counts[i + 1] += counts[i]);
    let (offsets, mut place) = (counts.clone(), counts);
    let (mut nodes, mut weights) = (vec![0; 2 * matrix.edges().len()], vec![0.0; 2 * matrix.edges().len()]);
    for (&[u, v], &w) in matrix.edges().iter().zip(matrix.weights()) {
        for (from, to) in [(u, v), (v, u)] {
            let at = &mut place[from as usize];
            (nodes[*at], weights[*at]) = (to, (w + shift) as f32);
            *at += 1;
        }
    }
    let diagonal = matrix.diagonal().map(|d| d.iter().map(|&w| (w + shift) as f32).collect());
    Operator::Sparse { offsets, nodes, weights, diagonal }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn all_forms_agree_with_the_affinity() {
        let factors = array![[1.0f32, 0.5], [0.25, -1.0], [-0.5, 2.0]];
        let s = array![[1.0f32, 0.0], [0.5, -1.0], [2.0, 0.25]];
        for clip in [false, true] {
            for diagonal in [None, Some(vec![1.0, 2.0, 3.0])] {
                let gram = GramAffinity { factors: factors.clone(), clip, shift: 0.5, diagonal };
                let edges = vec![[0, 1], [0, 2], [1, 2]];
                let weights = edges.iter().map(|&[u, v]: &[u32; 2]| gram.weight(u as usize, v as usize)).collect();
                let sparse = SparseAffinity::new(3, edges, weights).unwrap();
                let own: Vec<f64> = (0..3).map(|i| gram.weight(i, i)).collect();
                let sparse = Affinity::Sparse(sparse.with_diagonal(own).unwrap());
                let wanted = Operator::new(&sparse, 0.0).apply(s.view());
                let found = Operator::new(&Affinity::Gram(gram), 0.0).apply(s.view());
                assert!((&found - &wanted).iter().all(|d| d.abs() < 1e-5), "{found} {wanted}");
                let column = sparse.apply(&s.column(0).mapv(f64::from));
                assert!((wanted.column(0).mapv(f64::from) - column).iter().all(|d| d.abs() < 1e-6));
            }
        }
    }
}
