//! Palette histograms → distance of their kernel means.

use ndarray::Array2;
use segcut_core::FeatureBlock;

/// Regions as histograms over a palette, with the similarity of the palette's colors.
///
/// d(i, j)² = σ² (h_i − h_j)ᵀ S (h_i − h_j), S_ab = exp(−|c_a − c_b|² / 2σ²): the distance of the kernel mean embeddings of
/// the two regions' pixels (Smola et al. 2007), times σ. For two plain colors it is their distance while that is small
/// against σ, and it ends at σ√2.
pub(crate) struct KernelDistance<'a> {
    histograms: &'a FeatureBlock,
    /// S h_i of every region.
    images: Vec<f64>,
    /// h_iᵀ S h_i.
    norms: Vec<f64>,
    sigma: f64,
}

impl<'a> KernelDistance<'a> {
    /// Histograms (n×K) and the palette's colors (K rows).
    ///
    /// # Cost
    /// O(n·K²); histograms are sparse, so K·(filled bins) per region.
    pub(crate) fn new(histograms: &'a FeatureBlock, codebook: &Array2<f32>, sigma: f64) -> Self {
        let dims = histograms.dims;
        let similar = similarity(codebook, sigma);
        let n = histograms.values.len() / dims.max(1);
        let mut images = vec![0.0; n * dims];
        let mut norms = vec![0.0; n];
        for (node, image) in images.chunks_exact_mut(dims.max(1)).enumerate() {
            let filled = histograms.row(node).iter().enumerate().filter(|(_, share)| **share > 0.0);
            for (bin, &share) in filled.clone() {
                image.iter_mut().zip(similar.row(bin)).for_each(|(sum, s)| *sum += f64::from(share) * s);
            }
            norms[node] = filled.map(|(bin, &share)| f64::from(share) * image[bin]).sum();
        }
        Self { histograms, images, norms, sigma }
    }

    /// The distance of two regions.
    pub(crate) fn between(&self, [u, v]: [u32; 2]) -> f64 {
        let (u, v) = (u as usize, v as usize);
        let dims = self.histograms.dims;
        let image = &self.images[v * dims..(v + 1) * dims];
        let product: f64 = self.histograms.row(u).iter().zip(image).map(|(&h, s)| f64::from(h) * s).sum();
        self.sigma * (self.norms[u] + self.norms[v] - 2.0 * product).max(0.0).sqrt()
    }
}

fn similarity(codebook: &Array2<f32>, sigma: f64) -> Array2<f64> {
    Array2::from_shape_fn((codebook.nrows(), codebook.nrows()), |(a, b)| {
        let squares =
            codebook.row(a).into_iter().zip(codebook.row(b)).map(|(x, y)| (f64::from(*x) - f64::from(*y)).powi(2));
        (-squares.sum::<f64>() / (2.0 * sigma * sigma)).exp()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(values: &[f32]) -> FeatureBlock {
        FeatureBlock { name: "palette".into(), dims: 3, values: values.to_vec(), bins: vec![3] }
    }

    #[test]
    fn plain_colors_have_their_distance_and_it_saturates() {
        let book = Array2::from_shape_vec((3, 1), vec![0.0, 1.0, 1000.0]).unwrap();
        let histograms = block(&[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.5, 0.5, 0.0]);
        let distance = KernelDistance::new(&histograms, &book, 20.0);
        assert!((distance.between([0, 1]) - 1.0).abs() < 1e-3);
        assert!((distance.between([0, 2]) - 20.0 * 2.0f64.sqrt()).abs() < 1e-9);
        assert!((distance.between([0, 3]) - 0.5).abs() < 1e-3);
        assert_eq!(distance.between([1, 1]), 0.0);
    }

    #[test]
    fn it_is_the_quadratic_form() {
        let book = Array2::from_shape_vec((3, 2), vec![0.0, 3.0, 10.0, -4.0, 25.0, 8.0]).unwrap();
        let histograms = block(&[0.25, 0.5, 0.25, 0.0, 0.75, 0.25]);
        let similar = similarity(&book, 20.0);
        let difference = [0.25, -0.25, 0.0];
        let mut form = 0.0;
        for a in 0..3 {
            for b in 0..3 {
                form += difference[a] * similar[(a, b)] * difference[b];
            }
        }
        let found = KernelDistance::new(&histograms, &book, 20.0).between([0, 1]);
        assert!((found - 20.0 * form.sqrt()).abs() < 1e-9);
    }
}
