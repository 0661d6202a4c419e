//! An affinity as the product with a thin matrix, in single precision.

use crate::activation::{clip, column_sums};
use crate::matrix::{Matrix, Panels};
use crate::symmetric::Symmetric;
use crate::whole_numbers::WholeNumbers;
use segcut_core::{Affinity, GramAffinity};
use segcut_kernel::Panels16;

/// W·S for n×K memberships S.
#[derive(Debug)]
pub(crate) enum Operator {
    /// Both directions of every edge, by row, and the diagonal.
    Sparse { offsets: Vec<usize>, nodes: Vec<u32>, weights: Vec<f32>, diagonal: Vec<f32> },
    /// The matrix, and its row sums.
    Dense { matrix: Symmetric, sums: Vec<f32> },
    /// Graphs without edges between them, in the order of the rows; the rows of each.
    Parts(Vec<(usize, Operator)>),
    /// F·Fᵀ + shift, and what the diagonal has beyond that.
    Factors { factors: Factors, shift: f32, diagonal: Option<Vec<f32>> },
}

/// n×d numbers.
#[derive(Debug)]
pub(crate) enum Factors {
    Single(Matrix),
    Whole(WholeNumbers),
}

impl Factors {
    /// `out` = F·Fᵀ·S.
    fn apply(&self, s: &Matrix, out: &mut Matrix) {
        match self {
            Self::Single(factors) => {
                let mut inner = vec![0.0; factors.cols * s.cols];
                factors.transposed_product(s, &mut inner);
                out.set_product(factors, &Panels::new(&inner, s.cols), |_, _| {});
            }
            Self::Whole(factors) => {
                let (mut inner, mut right) = (vec![0.0; factors.cols() * s.cols], Panels16::default());
                right.round(&s.values, s.cols);
                factors.transposed_product(&right, &mut inner);
                right.round(&inner, s.cols);
                factors.product(&right, out, |_| {});
            }
        }
    }
}

impl Operator {
    /// The affinity + shift, diagonal included: on the edges of a sparse affinity, on all pairs of factors.
    pub(crate) fn new(affinity: &Affinity, shift: f64) -> Self {
        match affinity {
            Affinity::Sparse(sparse) => {
                Self::edges(sparse.n(), (sparse.edges(), sparse.weights()), sparse.diagonal(), shift)
            }
            Affinity::Gram(gram) if gram.clip => Self::dense(gram, shift, &formed(gram, shift)),
            Affinity::Gram(gram) => {
                let extra = gram.diagonal.as_ref().map(|diagonal| {
                    let norms = gram.factors.rows().into_iter().map(|row| row.dot(&row) + gram.shift as f32);
                    diagonal.iter().zip(norms).map(|(&d, norm)| d as f32 - norm).collect()
                });
                let factors = Factors::Single(Matrix::from_array(gram.factors.view()));
                Self::Factors { factors, shift: (gram.shift + shift) as f32, diagonal: extra }
            }
        }
    }

    /// The upper half of a matrix that is formed already; the diagonal is that of the affinity + shift.
    pub(crate) fn dense(gram: &GramAffinity, shift: f64, full: &Matrix) -> Self {
        let matrix = Symmetric::of(full, |i| (gram.weight(i, i) + shift) as f32);
        let sums = matrix.apply(&vec![1.0; full.rows]);
        Self::Dense { matrix, sums }
    }

    /// Edges (each pair once) and a diagonal, all + shift.
    pub(crate) fn edges(
        n: usize,
        (edges, edge_weights): (&[[u32; 2]], &[f64]),
        diagonal: Option<&[f64]>,
        shift: f64,
    ) -> Self {
        let mut counts = vec![0; n + 1];
        for &[u, v] in edges {
            counts[u as usize + 1] += 1;
            counts[v as usize + 1] += 1;
        }
        (0..n).for_each(|i| counts[i + 1] += counts[i]);
        let (offsets, mut place) = (counts.clone(), counts);
        let (mut nodes, mut weights) = (vec![0; 2 * edges.len()], vec![0.0; 2 * edges.len()]);
        for (&[u, v], &w) in edges.iter().zip(edge_weights) {
            for (from, to) in [(u, v), (v, u)] {
                let at = &mut place[from as usize];
                (nodes[*at], weights[*at]) = (to, (w + shift) as f32);
                *at += 1;
            }
        }
        let shifted = |diagonal: &[f64]| diagonal.iter().map(|&w| (w + shift) as f32).collect();
        let diagonal = diagonal.map_or_else(|| vec![0.0; n], shifted);
        Self::Sparse { offsets, nodes, weights, diagonal }
    }

    /// `out` = W·S.
    pub(crate) fn apply(&self, s: &Matrix, out: &mut Matrix) {
        match self {
            Self::Sparse { offsets, nodes, weights, diagonal } => {
                for (i, out) in out.values.chunks_exact_mut(s.cols.max(1)).enumerate() {
                    let edges = offsets[i]..offsets[i + 1];
                    let edges = nodes[edges.clone()].iter().zip(&weights[edges]);
                    out.iter_mut().zip(s.row(i)).for_each(|(out, s)| *out = diagonal[i] * s);
                    edges.for_each(|(&node, weight)| add_scaled(out, s.row(node as usize), *weight));
                }
            }
            Self::Dense { matrix, .. } => set_columns(out, &matrix.apply(&columns(s, s.cols))),
            Self::Parts(parts) => by_parts(parts, s, out, Self::apply),
            Self::Factors { factors, shift, diagonal } => {
                factors.apply(s, out);
                let sums = shifted_sums(s, *shift);
                for i in 0..s.rows {
                    let extra = diagonal.as_ref().map_or(0.0, |diagonal| diagonal[i]);
                    let own = s.row(i).iter().zip(&sums);
                    out.row_mut(i).iter_mut().zip(own).for_each(|(out, (s, sum))| *out += sum + extra * s);
                }
            }
        }
    }

    /// `out` = W·S for memberships, whose rows sum to 1: the columns of W·S sum to the degrees, so that a matrix is
    /// not multiplied with the last one.
    pub(crate) fn apply_to_memberships(&self, s: &Matrix, out: &mut Matrix) {
        match self {
            Self::Dense { matrix, sums } if s.cols > 0 => {
                let mut product = matrix.apply(&columns(s, s.cols - 1));
                let mut last = sums.clone();
                for column in product.chunks_exact(s.rows.max(1)) {
                    last.iter_mut().zip(column).for_each(|(last, x)| *last -= x);
                }
                product.extend(last);
                set_columns(out, &product);
            }
            Self::Parts(parts) => by_parts(parts, s, out, Self::apply_to_memberships),
            _ => self.apply(s, out),
        }
    }

    /// How many numbers are held.
    pub(crate) fn numbers(&self) -> usize {
        match self {
            Self::Sparse { offsets, nodes, .. } => 3 * offsets.len() + 2 * nodes.len(),
            Self::Dense { matrix, sums } => matrix.numbers() + sums.len(),
            Self::Parts(parts) => parts.iter().map(|(_, part)| part.numbers()).sum(),
            Self::Factors { factors: Factors::Single(factors), .. } => factors.values.len() + factors.rows,
            Self::Factors { factors: Factors::Whole(factors), .. } => factors.numbers(),
        }
    }

    /// Factors in whole numbers from here on.
    pub(crate) fn rounded(self) -> Self {
        match self {
            Self::Factors { factors: Factors::Single(factors), shift, diagonal } => {
                Self::Factors { factors: Factors::Whole(WholeNumbers::new(&factors)), shift, diagonal }
            }
            other => other,
        }
    }

    /// Row sums, the diagonal included.
    pub(crate) fn degrees(&self, n: usize) -> Vec<f32> {
        let ones = Matrix { rows: n, cols: 1, values: vec![1.0; n] };
        let mut out = Matrix::zeros(n, 1);
        self.apply(&ones, &mut out);
        out.values
    }
}

fn add_scaled(out: &mut [f32], row: &[f32], factor: f32) {
    out.iter_mut().zip(row).for_each(|(out, x)| *out += factor * x);
}

fn by_parts(parts: &[(usize, Operator)], s: &Matrix, out: &mut Matrix, apply: fn(&Operator, &Matrix, &mut Matrix)) {
    let mut first = 0;
    for (rows, part) in parts {
        let mut product = Matrix::zeros(*rows, s.cols);
        apply(part, &s.some_rows(first, *rows), &mut product);
        out.values[first * s.cols..][..rows * s.cols].copy_from_slice(&product.values);
        first += rows;
    }
}

/// The first columns of a matrix, one after the other.
fn columns(s: &Matrix, count: usize) -> Vec<f32> {
    (0..count).flat_map(|c| s.values.chunks_exact(s.cols).map(move |row| row[c])).collect()
}

/// All columns of a matrix from where they stand one after the other.
fn set_columns(out: &mut Matrix, columns: &[f32]) {
    let cols = out.cols.max(1);
    for (c, column) in columns.chunks_exact(out.rows.max(1)).enumerate() {
        out.values.chunks_exact_mut(cols).zip(column).for_each(|(row, x)| row[c] = *x);
    }
}

fn shifted_sums(s: &Matrix, shift: f32) -> Vec<f32> {
    let mut sums = vec![0.0; s.cols];
    if shift != 0.0 {
        column_sums(&s.values, &mut sums);
        sums.iter_mut().for_each(|sum| *sum *= shift);
    }
    sums
}

/// max(F·Fᵀ, 0) or F·Fᵀ with the diagonal that is given, + shift.
pub(crate) fn formed(gram: &GramAffinity, shift: f64) -> Matrix {
    let factors = Matrix::from_array(gram.factors.view());
    let n = factors.rows;
    let mut full = Matrix::zeros(n, n);
    let add = (gram.shift + shift) as f32;
    let least = if gram.clip { 0.0 } else { f32::NEG_INFINITY };
    full.set_gram(&factors, |first, rows| {
        clip(rows, least, add);
        for (at, row) in rows.chunks_exact_mut(n.max(1)).enumerate() {
            if let Some(diagonal) = &gram.diagonal {
                row[first + at] = (diagonal[first + at] + shift) as f32;
            }
        }
    });
    full
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use segcut_core::SparseAffinity;

    #[test]
    fn all_forms_agree_with_the_affinity() {
        let factors = array![[1.0f32, 0.5], [0.25, -1.0], [-0.5, 2.0]];
        let s = Matrix { rows: 3, cols: 2, values: vec![1.0, 0.0, 0.5, -1.0, 2.0, 0.25] };
        let of = |operator: Operator| {
            let mut out = Matrix::zeros(3, 2);
            operator.apply(&s, &mut out);
            out.values
        };
        for clip in [false, true] {
            for diagonal in [None, Some(vec![1.0, 2.0, 3.0])] {
                let gram = GramAffinity { factors: factors.clone(), clip, shift: 0.5, diagonal };
                let edges = vec![[0, 1], [0, 2], [1, 2]];
                let weights = edges.iter().map(|&[u, v]: &[u32; 2]| gram.weight(u as usize, v as usize)).collect();
                let sparse = SparseAffinity::new(3, edges, weights).unwrap();
                let own: Vec<f64> = (0..3).map(|i| gram.weight(i, i)).collect();
                let sparse = Affinity::Sparse(sparse.with_diagonal(own).unwrap());
                for shift in [0.0, -0.25] {
                    let wanted = of(Operator::new(&sparse, shift));
                    let found = of(Operator::new(&Affinity::Gram(gram.clone()), shift));
                    assert!(found.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-5), "{found:?} {wanted:?}");
                    let rounded = of(Operator::new(&Affinity::Gram(gram.clone()), shift).rounded());
                    assert!(rounded.iter().zip(&found).all(|(a, b)| (a - b).abs() < 1e-3), "{rounded:?} {found:?}");
                }
                let parts = vec![(3, Operator::new(&Affinity::Gram(gram.clone()), 0.0))];
                let memberships = Matrix { rows: 3, cols: 2, values: vec![1.0, 0.0, 0.25, 0.75, 0.5, 0.5] };
                let (mut wanted, mut found) = (Matrix::zeros(3, 2), Matrix::zeros(3, 2));
                parts[0].1.apply(&memberships, &mut wanted);
                Operator::Parts(parts).apply_to_memberships(&memberships, &mut found);
                assert!(found.values.iter().zip(&wanted.values).all(|(a, b)| (a - b).abs() < 1e-5), "{found:?}");
                let column = sparse.apply(&array![1.0, 0.5, 2.0]);
                let wanted = of(Operator::new(&sparse, 0.0));
                assert!((0..3).all(|i| (f64::from(wanted[2 * i]) - column[i]).abs() < 1e-6));
            }
        }
    }
}
