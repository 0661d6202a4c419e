//! Node features → features spread once over the graph.

use crate::operator::Operator;
use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use segcut_core::{Affinity, GramAffinity, SparseAffinity};

/// Rows of a dense matrix that are made at a time.
const BLOCK: usize = 128;

/// D^{-1/2}·A·D^{-1/2}·X with A the positive entries of the affinity + shift and a diagonal of 1 where it has
/// none; D its row sums (Kipf & Welling 2017, eq. 2, weighted; missing self-loops are filled as PyTorch
/// Geometric does).
///
/// With one layer this is constant while the network learns, so it is computed once (Wu et al. 2019 call the
/// result a simplified graph convolution).
///
/// # Cost
/// Sparse: O(m·d). Gram: O(n²·d) time; O(n·d) memory unless the affinity is clipped at zero.
pub(crate) fn propagate(affinity: &Affinity, shift: f64, x: ArrayView2<'_, f32>) -> Array2<f32> {
    match affinity {
        Affinity::Sparse(sparse) => sparse_rows(sparse, shift, x),
        Affinity::Gram(gram) => dense_rows(gram, shift, x),
    }
}

fn sparse_rows(sparse: &SparseAffinity, shift: f64, x: ArrayView2<'_, f32>) -> Array2<f32> {
    let kept = sparse.edges().iter().zip(sparse.weights()).map(|(&e, &w)| (e, w + shift)).filter(|&(_, w)| w > 0.0);
    let (edges, weights) = kept.unzip();
    let diagonal: Vec<f64> = match sparse.diagonal() {
        Some(diagonal) => diagonal.iter().map(|&w| own(w + shift)).collect(),
        None => vec![1.0; sparse.n()],
    };
    // Edges of a subset, sorted as before, and finite: what the type asks for.
    let Ok(positive) = SparseAffinity::new(sparse.n(), edges, weights).and_then(|p| p.with_diagonal(diagonal)) else {
        return x.to_owned();
    };
    let operator = Operator::new(&Affinity::Sparse(positive), 0.0);
    let roots = operator.degrees(sparse.n()).mapv(|d| 1.0 / d.sqrt()).insert_axis(Axis(1));
    operator.apply((&x * &roots).view()) * &roots
}

/// A diagonal entry that is not positive is no self-loop, and a missing one is 1.
fn own(weight: f64) -> f64 {
    if weight > 0.0 { weight } else { 1.0 }
}

fn dense_rows(gram: &GramAffinity, shift: f64, x: ArrayView2<'_, f32>) -> Array2<f32> {
    let n = gram.factors.nrows();
    let mut degrees = Array1::zeros(n);
    for_blocks(gram, shift, |rows, block| degrees.slice_mut(s![rows]).assign(&block.sum_axis(Axis(1))));
    let roots = degrees.mapv(|d: f32| 1.0 / d.sqrt()).insert_axis(Axis(1));
    let scaled = &x * &roots;
    let mut out = Array2::zeros(x.raw_dim());
    for_blocks(gram, shift, |rows, block| out.slice_mut(s![rows, ..]).assign(&block.dot(&scaled)));
    out * &roots
}

/// The positive entries, some rows at a time.
fn for_blocks(gram: &GramAffinity, shift: f64, mut visit: impl FnMut(std::ops::Range<usize>, Array2<f32>)) {
    let n = gram.factors.nrows();
    for first in (0..n).step_by(BLOCK) {
        let rows = first..(first + BLOCK).min(n);
        let some = gram.factors.slice(s![rows.clone(), ..]);
        let mut block = some.dot(&gram.factors.t());
        let add = (gram.shift + shift) as f32;
        block.mapv_inplace(|w| (add + if gram.clip { w.max(0.0) } else { w }).max(0.0));
        for i in rows.clone() {
            block[[i - first, i]] = own(gram.weight(i, i) + shift) as f32;
        }
        visit(rows, block);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::formed;
    use ndarray::array;

    #[test]
    fn blocks_agree_with_the_formed_matrix() {
        let factors = Array2::from_shape_fn((300, 3), |(i, d)| ((i * 7 + d * 3) % 11) as f32 / 11.0 - 0.4);
        let x = Array2::from_shape_fn((300, 2), |(i, d)| ((i + d) % 5) as f32);
        for (clip, shift) in [(true, 0.0), (false, -0.1)] {
            let gram = GramAffinity { factors: factors.clone(), clip, shift: 0.0, diagonal: None };
            let mut a = formed(&gram, shift).mapv(|w| w.max(0.0));
            a.diag_mut().mapv_inplace(|w| if w > 0.0 { w } else { 1.0 });
            let roots = a.sum_axis(Axis(1)).mapv(|d| 1.0 / d.sqrt()).insert_axis(Axis(1));
            let wanted = a.dot(&(&x * &roots)) * &roots;
            let found = propagate(&Affinity::Gram(gram), shift, x.view());
            assert!((&found - &wanted).iter().all(|d| d.abs() < 1e-4));
        }
    }

    #[test]
    fn edges_without_a_diagonal_get_loops_of_one() {
        let sparse = SparseAffinity::new(3, vec![[0, 1]], vec![3.0]).unwrap();
        let x = array![[1.0f32], [2.0], [5.0]];
        let found = propagate(&Affinity::Sparse(sparse), 0.0, x.view());
        assert!((found - array![[7.0f32 / 4.0], [5.0 / 4.0], [5.0]]).iter().all(|d| d.abs() < 1e-6));
    }
}
