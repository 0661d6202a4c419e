//! Neighbours → products with a normalised adjacency.

use super::links::{Links, product};
use ndarray::{Array2, ArrayView2};

/// How the rows of the adjacency are scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scaling {
    /// D^{-1/2}·(A + cI)·D^{-1/2}, c the mean weight (Kipf & Welling 2017, eq. 2, with a loop of an average edge).
    Symmetric,
    /// D^{-1}·A, the mean of the neighbours (Hamilton et al. 2017); a node without any has mean 0.
    Mean,
}

/// A normalised adjacency P with its transpose.
#[derive(Debug, Clone)]
pub(crate) struct Propagation {
    weights: Vec<f32>,
    own: Vec<f32>,
    turned: Option<Vec<f32>>,
}

impl Propagation {
    pub(crate) fn new(links: &Links, scaling: Scaling) -> Self {
        let entries = links.weights.len().max(1) as f64;
        let loops = match scaling {
            Scaling::Symmetric if links.volume() > 0.0 => (links.volume() / entries) as f32,
            Scaling::Symmetric => 1.0,
            Scaling::Mean => 0.0,
        };
        let scale = |&degree: &f32| match scaling {
            Scaling::Symmetric => (degree + loops).sqrt().recip(),
            Scaling::Mean if degree > 0.0 => degree.recip(),
            Scaling::Mean => 0.0,
        };
        let scale: Vec<f32> = links.degrees.iter().map(scale).collect();
        let each = |value: &dyn Fn(usize, u32, f32) -> f32| -> Vec<f32> {
            (0..links.n()).flat_map(|i| links.row(i).map(move |(j, w)| value(i, j, w))).collect()
        };
        match scaling {
            Scaling::Symmetric => Self {
                weights: each(&|i, j, w| w * scale[i] * scale[j as usize]),
                own: scale.iter().map(|s| loops * s * s).collect(),
                turned: None,
            },
            Scaling::Mean => Self {
                weights: each(&|i, _, w| w * scale[i]),
                own: vec![0.0; links.n()],
                turned: Some(each(&|_, j, w| w * scale[j as usize])),
            },
        }
    }

    /// P·X.
    pub(crate) fn apply(&self, links: &Links, x: ArrayView2<'_, f32>) -> Array2<f32> {
        product(links, &self.weights, Some(&self.own), x)
    }

    /// Pᵀ·X.
    pub(crate) fn apply_turned(&self, links: &Links, x: ArrayView2<'_, f32>) -> Array2<f32> {
        product(links, self.turned.as_ref().unwrap_or(&self.weights), Some(&self.own), x)
    }

    /// Pʰ·X.
    pub(crate) fn power(&self, links: &Links, hops: usize, x: Array2<f32>) -> Array2<f32> {
        (0..hops).fold(x, |x, _| self.apply(links, x.view()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::SparseAffinity;

    #[test]
    fn the_transpose_is_the_transpose() {
        let links = Links::of(&SparseAffinity::new(4, vec![[0, 1], [0, 2], [1, 2]], vec![1.0, 2.0, 3.0]).unwrap());
        for scaling in [Scaling::Symmetric, Scaling::Mean] {
            let p = Propagation::new(&links, scaling);
            let whole = p.apply(&links, Array2::eye(4).view());
            let turned = p.apply_turned(&links, Array2::eye(4).view());
            assert!((&whole.t() - &turned).iter().all(|d| d.abs() < 1e-6));
        }
        let mean = Propagation::new(&links, Scaling::Mean).apply(&links, Array2::ones((4, 1)).view());
        assert!(mean.iter().zip([1.0, 1.0, 1.0, 0.0]).all(|(a, b): (&f32, f32)| (a - b).abs() < 1e-6));
    }
}
