//! Feature maps as planes of pixels.

use crate::engine::Layout;
use crate::float_space::Planes;
use crate::params::Distance;
use segcut_core::{FeatureMap, FeatureMaps};
use thiserror::Error;

/// Why feature maps give no superpixels.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FeaturePlanesError {
    /// Every map holds codes, or there is none.
    #[error("from = \"features\" needs a feature map of measured values; the recipe has none before the superpixels")]
    NoFeatures,
    /// A map has no cells, or steps that are not above 0.
    #[error("feature map {name} has no usable grid ({rows}x{cols} cells)")]
    BadGrid {
        /// The map.
        name: String,
        /// Rows of cells.
        rows: usize,
        /// Columns of cells.
        cols: usize,
    },
    /// A map that is computed gave NaN or an infinite value.
    #[error("feature map {name}: row {row} holds a value that is not finite")]
    NotFinite {
        /// The map.
        name: String,
        /// Row of cells.
        row: usize,
    },
}

/// Every map that does not hold codes, bilinear between the centres of its cells.
///
/// Each map is centred and scaled so that its spread is that of Lab in photographs: compactness means about the same
/// for any features, and each map weighs the same.
pub(crate) fn feature_planes(
    size: [usize; 2],
    maps: &FeatureMaps<'_>,
    distance: Distance,
) -> Result<Planes, FeaturePlanesError> {
    let layout = Layout::new(size[0], size[1]);
    let maps: Vec<&FeatureMap<'_>> = maps.iter().filter(|map| map.codes().is_none() && map.dims() > 0).collect();
    let channels: usize = maps.iter().map(|map| map.dims()).sum();
    let mut values = Vec::with_capacity(channels);
    for map in &maps {
        let mut planes = sampled(map, layout)?;
        scale(&mut planes, layout, spread(distance, channels) / (maps.len() as f64).sqrt());
        values.append(&mut planes);
    }
    match values.is_empty() {
        true => Err(FeaturePlanesError::NoFeatures),
        false => Ok(Planes { layout, values }),
    }
}

/// The root of the total variance that planes are scaled to: as Lab of photographs has it in either distance; a sum of
/// absolute steps grows with the root of the channels.
fn spread(distance: Distance, channels: usize) -> f64 {
    match distance {
        Distance::Manhattan => 60.0 * (3.0 / channels as f64).sqrt(),
        Distance::Euclidean => 25.0,
    }
}

fn sampled(map: &FeatureMap<'_>, layout: Layout) -> Result<Vec<Vec<f32>>, FeaturePlanesError> {
    let (grid, dims) = (map.grid(), map.dims());
    let name = || map.name().to_string();
    if grid.rows == 0 || grid.cols == 0 || grid.step.iter().any(|&s| s.is_nan() || s <= 0.0) {
        return Err(FeaturePlanesError::BadGrid { name: name(), rows: grid.rows, cols: grid.cols });
    }
    let place = |axis: usize, count: usize, at: usize| {
        let cell = ((at as f64 - grid.origin[axis]) / grid.step[axis]).clamp(0.0, (count - 1) as f64);
        let first = cell as usize;
        (first, (first + 1).min(count - 1), (cell - first as f64) as f32)
    };
    let columns: Vec<_> = (0..layout.width).map(|x| place(1, grid.cols, x)).collect();
    let mut planes = vec![vec![0f32; layout.height * layout.stride]; dims];
    let mut rows = [vec![0f32; grid.cols * dims], vec![0f32; grid.cols * dims]];
    let mut held = [usize::MAX; 2];
    for y in 0..layout.height {
        let (first, second, down) = place(0, grid.rows, y);
        for (i, row) in [first, second].into_iter().enumerate() {
            if held[i] == row {
                continue;
            }
            map.read_rows(row..row + 1, &mut rows[i]);
            held[i] = row;
            if rows[i].iter().any(|v| !v.is_finite()) {
                return Err(FeaturePlanesError::NotFinite { name: name(), row });
            }
        }
        for (c, plane) in planes.iter_mut().enumerate() {
            let out = &mut plane[y * layout.stride..][..layout.width];
            for (out, &(left, right, across)) in out.iter_mut().zip(&columns) {
                let [upper, lower] = rows.each_ref().map(|row| {
                    let (a, b) = (row[left * dims + c], row[right * dims + c]);
                    a + (b - a) * across
                });
                *out = upper + (lower - upper) * down;
            }
        }
    }
    Ok(planes)
}

/// Centres planes and gives them a total variance of `spread`²; constant planes become 0.
fn scale(planes: &mut [Vec<f32>], layout: Layout, spread: f64) {
    let count = (layout.height * layout.width) as f64;
    let mut variance = 0.0;
    let mut means = Vec::with_capacity(planes.len());
    for plane in planes.iter() {
        let rows = || plane.chunks_exact(layout.stride).flat_map(|row| &row[..layout.width]);
        let mean = rows().map(|&v| f64::from(v)).sum::<f64>() / count;
        variance += rows().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / count;
        means.push(mean);
    }
    let gain = if variance > 0.0 { spread / variance.sqrt() } else { 0.0 };
    for (plane, mean) in planes.iter_mut().zip(means) {
        plane.iter_mut().for_each(|v| *v = ((f64::from(*v) - mean) * gain) as f32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::Grid;

    #[test]
    fn cells_are_interpolated_centred_and_scaled() {
        let grid = Grid { rows: 1, cols: 2, step: [4.0, 2.0], origin: [1.5, 0.5] };
        let map = FeatureMap::held("x", grid, 1, vec![-1.0, 3.0]).unwrap();
        let planes = feature_planes([4, 4], &[map], Distance::Euclidean).unwrap();
        let row = &planes.values[0][..4];
        // -1, 0, 2, 3 before scaling.
        assert!((row[0] + row[3]).abs() < 1e-4 && (row[1] / row[0] - 0.5).abs() < 1e-5);
        let variance = row.iter().map(|v| v * v).sum::<f32>() / 4.0;
        assert!((variance.sqrt() - 25.0).abs() < 1e-3);
    }

    #[test]
    fn unusable_maps_are_named() {
        let error = |maps: &FeatureMaps<'_>| feature_planes([2, 2], maps, Distance::Manhattan).unwrap_err();
        assert_eq!(error(&[]), FeaturePlanesError::NoFeatures);
        let grid = Grid { rows: 0, cols: 0, step: [1.0; 2], origin: [0.0; 2] };
        let map = FeatureMap::held("none", grid, 1, Vec::new()).unwrap();
        assert!(error(&[map]).to_string().contains("none has no usable grid"));
    }
}
