//! Node features → features gathered from the neighbors, and gradients back.

use crate::activation::clip;
use crate::matrix::{Matrix, Panels};
use crate::neighbors::Neighbors;
use crate::operator::{Operator, formed};
use segcut_core::{Affinity, GramAffinity, SparseAffinity};
use serde::{Deserialize, Serialize};

/// How a layer of the encoder reads a node and its neighbors. A is the matrix of positive weights, D its row sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoder {
    /// D^{-1/2}·A·D^{-1/2}·H·M, with a diagonal of 1 where A has none (Kipf & Welling 2017, eq. 2).
    #[default]
    Gcn,
    /// H·M₁ + D⁻¹·A·H·M₂: the node beside the weighted mean of its neighbors (Hamilton et al. 2017, with a mean that
    /// is weighted).
    Sage,
    /// D^{-1/2}·A·D^{-1/2}·H·M₁ + H·M₂ with the diagonal as it is: one stack of one step (Bianchi et al. 2021, eq. 8).
    Arma,
    /// Σⱼ αᵢⱼ·(H·M)ⱼ over the neighbors and the node, α = softmaxⱼ(LeakyReLU(aᵀ(H·M)ᵢ + bᵀ(H·M)ⱼ) + ln wᵢⱼ) (Veličković et
    /// al. 2018, eq. 3 and 4, with one head, and with edge weights, 1 for the node itself). Reads every edge again in
    /// every epoch: O(m·h), O(n²·h) on dense graphs, which may have 4096 nodes.
    Gat,
}

/// The largest dense graph whose positive weights are held, in nodes; larger ones are made again block by block.
const HELD: usize = 4096;

/// The positive weights between nodes, scaled from both sides.
#[derive(Debug)]
pub(crate) struct Spread {
    encoder: Encoder,
    entries: Entries,
    left: Vec<f32>,
    right: Vec<f32>,
}

#[derive(Debug)]
enum Entries {
    Sparse(Operator),
    Held(Matrix),
    Blocks { gram: GramAffinity, shift: f64, fill: f64 },
}

impl Spread {
    /// The positive entries of the affinity + shift, for an encoder other than [`Encoder::Gat`].
    ///
    /// # Cost
    /// Sparse: O(m). Factors: O(n²·d) time, and n² numbers up to 4096 nodes.
    pub(crate) fn new(encoder: Encoder, affinity: &Affinity, shift: f64) -> Self {
        let fill = if encoder == Encoder::Gcn { 1.0 } else { 0.0 };
        let entries = match affinity {
            Affinity::Sparse(sparse) => Entries::Sparse(positive_edges(sparse, shift, fill)),
            Affinity::Gram(gram) if gram.factors.nrows() > HELD => Entries::Blocks { gram: gram.clone(), shift, fill },
            Affinity::Gram(gram) => {
                let mut full = formed(gram, shift);
                positive_rows(&mut full, 0, |i| own(gram.weight(i, i) + shift, fill));
                Entries::Held(full)
            }
        };
        let ones = Matrix { rows: affinity.n(), cols: 1, values: vec![1.0; affinity.n()] };
        let degrees = entries.apply(&ones).values;
        let inverse = |power: fn(f32) -> f32| degrees.iter().map(|&d| if d > 0.0 { power(d) } else { 0.0 }).collect();
        let (left, right) = match encoder {
            Encoder::Sage => (inverse(f32::recip), vec![1.0; degrees.len()]),
            _ => {
                let roots: Vec<f32> = inverse(|d| d.sqrt().recip());
                (roots.clone(), roots)
            }
        };
        Self { encoder, entries, left, right }
    }

    /// The matrix of positive weights, where it is held.
    pub(crate) fn held(&self) -> Option<&Matrix> {
        match &self.entries {
            Entries::Held(full) => Some(full),
            _ => None,
        }
    }

    /// What a layer reads: gathered features, behind the node's own where the encoder has them.
    pub(crate) fn gather(&self, h: &Matrix) -> Matrix {
        let gathered = self.scaled(h, &self.right, &self.left);
        match self.encoder {
            Encoder::Sage | Encoder::Arma => Matrix::beside(&[h, &gathered]),
            _ => gathered,
        }
    }

    /// The gradient of what [`gather`](Self::gather) made → that of its input.
    pub(crate) fn scatter(&self, gradient: &Matrix) -> Matrix {
        if blocks(self.encoder) == 1 {
            return self.scaled(gradient, &self.left, &self.right);
        }
        let cols = gradient.cols / 2;
        let half = |from: usize| Matrix {
            rows: gradient.rows,
            cols,
            values: (0..gradient.rows).flat_map(|i| gradient.row(i)[from..from + cols].iter().copied()).collect(),
        };
        let mut sum = self.scaled(&half(cols), &self.left, &self.right);
        sum.values.iter_mut().zip(&half(0).values).for_each(|(sum, g)| *sum += g);
        sum
    }

    fn scaled(&self, h: &Matrix, before: &[f32], behind: &[f32]) -> Matrix {
        let mut input = h.clone();
        scale_rows(&mut input, before);
        let mut out = self.entries.apply(&input);
        scale_rows(&mut out, behind);
        out
    }
}

/// How a layer reads neighbors, of graphs without edges between them, in the order of the rows.
#[derive(Debug, Default)]
pub(crate) struct Gathering {
    /// What every graph gathers; none where neighbors are attended to.
    pub(crate) parts: Vec<Spread>,
    /// Neighbors that are attended to.
    pub(crate) neighbors: Option<Neighbors>,
}

impl Gathering {
    /// What a layer reads.
    pub(crate) fn gather(&self, h: &Matrix) -> Matrix {
        self.by_parts(h, Spread::gather)
    }

    /// The gradient of what [`gather`](Self::gather) made → that of its input.
    pub(crate) fn scatter(&self, gradient: &Matrix) -> Matrix {
        self.by_parts(gradient, Spread::scatter)
    }

    fn by_parts(&self, rows: &Matrix, one: impl Fn(&Spread, &Matrix) -> Matrix) -> Matrix {
        let mut first = 0;
        let part = |spread: &Spread| {
            let n = spread.left.len();
            first += n;
            one(spread, &rows.some_rows(first - n, n))
        };
        let parts: Vec<Matrix> = self.parts.iter().map(part).collect();
        Matrix::stacked(&parts.iter().collect::<Vec<_>>())
    }

    /// How many numbers are held.
    pub(crate) fn numbers(&self) -> usize {
        let of = |spread: &Spread| match &spread.entries {
            Entries::Sparse(operator) => operator.numbers(),
            Entries::Held(full) => full.values.len(),
            Entries::Blocks { gram, .. } => gram.factors.len(),
        };
        self.parts.iter().map(of).sum::<usize>() + self.neighbors.as_ref().map_or(0, Neighbors::numbers)
    }
}

/// How many blocks of the previous layer's width an encoder's layer reads.
pub(crate) fn blocks(encoder: Encoder) -> usize {
    if matches!(encoder, Encoder::Gcn | Encoder::Gat) { 1 } else { 2 }
}

impl Entries {
    fn apply(&self, h: &Matrix) -> Matrix {
        let mut out = Matrix::zeros(h.rows, h.cols);
        match self {
            Self::Sparse(operator) => operator.apply(h, &mut out),
            Self::Held(full) => out.set_product(full, &Panels::new(&h.values, h.cols), |_, _| {}),
            Self::Blocks { gram, shift, fill } => by_blocks(gram, (*shift, *fill), h, &mut out),
        }
        out
    }
}

/// Rows that are formed at a time.
const BLOCK: usize = 128;

fn by_blocks(gram: &GramAffinity, (shift, fill): (f64, f64), h: &Matrix, out: &mut Matrix) {
    let factors = Matrix::from_array(gram.factors.view());
    let (n, add) = (factors.rows, (gram.shift + shift) as f32);
    let least = if gram.clip { 0.0 } else { f32::NEG_INFINITY };
    let (turned, columns) = (Panels::transposed(&factors.values, factors.cols), Panels::new(&h.values, h.cols));
    for first in (0..n).step_by(BLOCK) {
        let rows = BLOCK.min(n - first);
        let values = factors.values[first * factors.cols..][..rows * factors.cols].to_vec();
        let some = Matrix { rows, cols: factors.cols, values };
        let mut block = Matrix::zeros(rows, n);
        block.set_product(&some, &turned, |_, _| {});
        clip(&mut block.values, least, add);
        positive_rows(&mut block, first, |i| own(gram.weight(i, i) + shift, fill));
        let mut part = Matrix::zeros(rows, h.cols);
        part.set_product(&block, &columns, |_, _| {});
        out.values[first * h.cols..][..rows * h.cols].copy_from_slice(&part.values);
    }
}

/// Clips some rows of a square matrix at 0, except for its diagonal.
fn positive_rows(rows: &mut Matrix, first: usize, diagonal: impl Fn(usize) -> f64) {
    clip(&mut rows.values, 0.0, 0.0);
    for at in 0..rows.rows {
        rows.row_mut(at)[first + at] = diagonal(first + at) as f32;
    }
}

fn positive_edges(sparse: &SparseAffinity, shift: f64, fill: f64) -> Operator {
    let kept = sparse.edges().iter().zip(sparse.weights()).map(|(&e, &w)| (e, w + shift)).filter(|&(_, w)| w > 0.0);
    let (edges, weights): (Vec<_>, Vec<_>) = kept.unzip();
    let diagonal: Vec<f64> = match sparse.diagonal() {
        Some(diagonal) => diagonal.iter().map(|&w| own(w + shift, fill)).collect(),
        None => vec![fill; sparse.n()],
    };
    Operator::edges(sparse.n(), (&edges, &weights), Some(&diagonal), 0.0)
}

/// A diagonal entry that is not positive is no self-loop, and a missing one is `fill`.
fn own(weight: f64, fill: f64) -> f64 {
    if weight > 0.0 { weight } else { fill }
}

fn scale_rows(matrix: &mut Matrix, factors: &[f32]) {
    let cols = matrix.cols.max(1);
    for (row, factor) in matrix.values.chunks_exact_mut(cols).zip(factors) {
        row.iter_mut().for_each(|x| *x *= factor);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    fn gram(clip: bool) -> GramAffinity {
        let factors = Array2::from_shape_fn((300, 3), |(i, d)| ((i * 7 + d * 3) % 11) as f32 / 11.0 - 0.4);
        GramAffinity { factors, clip, shift: 0.0, diagonal: None }
    }

    fn inputs(rows: usize) -> Matrix {
        Matrix { rows, cols: 2, values: (0..2 * rows).map(|at| (at % 5) as f32).collect() }
    }

    fn close(a: &Matrix, b: &Matrix) -> bool {
        a.values.len() == b.values.len() && a.values.iter().zip(&b.values).all(|(a, b)| (a - b).abs() < 1e-4)
    }

    #[test]
    fn blocks_agree_with_the_held_matrix() {
        for (clip, shift) in [(true, 0.0), (false, -0.1)] {
            for encoder in [Encoder::Gcn, Encoder::Sage, Encoder::Arma] {
                let held = Spread::new(encoder, &Affinity::Gram(gram(clip)), shift);
                let fill = if encoder == Encoder::Gcn { 1.0 } else { 0.0 };
                let entries = Entries::Blocks { gram: gram(clip), shift, fill };
                let blocks = Spread { entries, encoder, left: held.left.clone(), right: held.right.clone() };
                assert!(close(&held.gather(&inputs(300)), &blocks.gather(&inputs(300))));
            }
        }
    }

    #[test]
    fn edges_without_a_diagonal_get_loops_of_one() {
        let sparse = Affinity::Sparse(SparseAffinity::new(3, vec![[0, 1]], vec![3.0]).unwrap());
        let x = Matrix { rows: 3, cols: 1, values: vec![1.0, 2.0, 5.0] };
        let found = Spread::new(Encoder::Gcn, &sparse, 0.0).gather(&x);
        assert!(close(&found, &Matrix { rows: 3, cols: 1, values: vec![7.0 / 4.0, 5.0 / 4.0, 5.0] }));
    }

    #[test]
    fn others_keep_the_node_beside_its_neighbors() {
        let edges = SparseAffinity::new(4, vec![[0, 1], [0, 2]], vec![3.0, 1.0]).unwrap();
        let sparse = Affinity::Sparse(edges);
        let x = Matrix { rows: 4, cols: 1, values: vec![1.0, 2.0, 6.0, 7.0] };
        let sage = Spread::new(Encoder::Sage, &sparse, 0.0).gather(&x);
        assert_eq!(sage.values, [1.0, 3.0, 2.0, 1.0, 6.0, 1.0, 7.0, 0.0]);
        let arma = Spread::new(Encoder::Arma, &sparse, 0.0).gather(&x);
        let second = [(3.0 * 2.0 / 3f32.sqrt() + 6.0) / 2.0, 3.0 / (2.0 * 3f32.sqrt()), 0.5, 0.0];
        assert!((0..4).all(|i| (arma.row(i)[1] - second[i]).abs() < 1e-6), "{arma:?}");
    }

    #[test]
    fn scattering_is_the_transpose_of_gathering() {
        for encoder in [Encoder::Gcn, Encoder::Sage, Encoder::Arma] {
            let spread = Spread::new(encoder, &Affinity::Gram(gram(true)), 0.0);
            let x = inputs(300);
            let y = spread.gather(&x);
            let mut other = y.clone();
            other.values.iter_mut().enumerate().for_each(|(at, v)| *v = (at % 7) as f32 - 3.0);
            let dot = |a: &Matrix, b: &Matrix| -> f64 {
                a.values.iter().zip(&b.values).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
            };
            let (one, two) = (dot(&y, &other), dot(&x, &spread.scatter(&other)));
            assert!((one - two).abs() < 1e-3 * one.abs().max(1.0), "{encoder:?}: {one} {two}");
        }
    }
}
