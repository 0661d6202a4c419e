//! Contour maps added up.

use crate::{FeatureMap, FeatureMaps};
use std::collections::BTreeMap;
use std::ops::Range;
use thiserror::Error;

/// Why maps make no contour.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ContourSumError {
    /// A weight is given for a map that is not there.
    #[error("contours names {name}, but the feature maps are {maps:?}")]
    NoSuchMap {
        /// The name in the parameters.
        name: String,
        /// The maps there are.
        maps: Vec<String>,
    },
    /// A contour map must have values for every pixel.
    #[error(
        "contour map {name} must hold values per pixel of {size:?} (rows, columns); it has {found:?} cells, step {step:?}"
    )]
    NotPixels {
        /// The map.
        name: String,
        /// Rows and columns of the image.
        size: [usize; 2],
        /// Rows and columns of the map.
        found: [usize; 2],
        /// Pixels from cell to cell.
        step: [f64; 2],
    },
    /// Maps have different numbers of orientations.
    #[error("contour map {name} has {found} orientations, another one has {others}")]
    Orientations {
        /// The map.
        name: String,
        /// Its values per pixel.
        found: usize,
        /// Those of the others.
        others: usize,
    },
}

/// The map that is a contour where the parameters name none.
const DEFAULT: &str = "contour";

/// Values up to which extractors hold a map.
const HELD: usize = 1 << 22;

/// A weighted sum of contour maps, read in bands of rows.
///
/// A contour map has one strength per pixel, or one per orientation: orientation o of m is the strength of
/// a contour whose tangent has the angle o·π/m, from the direction of the columns towards that of the
/// rows. A map with one strength adds it to every orientation.
///
/// *Guarantees*: all maps are pixel maps of one size, with one or the same number of orientations.
#[derive(Debug)]
pub struct ContourSum<'m, 'a> {
    parts: Vec<(&'m FeatureMap<'a>, f32)>,
    orientations: usize,
}

impl<'m, 'a> ContourSum<'m, 'a> {
    /// The named maps with their weights; with no names the map `contour`, where there is one. None where
    /// there is no map to add.
    ///
    /// # Errors
    /// [`ContourSumError`].
    pub fn of(
        maps: &'m FeatureMaps<'a>,
        weights: &BTreeMap<String, f64>,
        size: [usize; 2],
    ) -> Result<Option<Self>, ContourSumError> {
        let find = |name: &str| maps.iter().find(|map| map.name() == name);
        let mut parts = Vec::new();
        if weights.is_empty() {
            parts.extend(find(DEFAULT).map(|map| (map, 1.0)));
        }
        for (name, &weight) in weights {
            let missing = || ContourSumError::NoSuchMap {
                name: name.clone(),
                maps: maps.iter().map(|map| map.name().to_owned()).collect(),
            };
            parts.push((find(name).ok_or_else(missing)?, weight as f32));
        }
        let orientations = parts.iter().map(|(map, _)| map.dims()).max().unwrap_or(0);
        for (map, _) in &parts {
            check(map, size, orientations)?;
        }
        Ok((!parts.is_empty()).then_some(Self { parts, orientations }))
    }

    /// Whether a map of this name is a contour under these weights.
    pub fn names(weights: &BTreeMap<String, f64>, name: &str) -> bool {
        if weights.is_empty() { name == DEFAULT } else { weights.contains_key(name) }
    }

    /// Strengths per pixel.
    pub fn orientations(&self) -> usize {
        self.orientations
    }

    /// Rows that are best read at once: few where maps are small enough to be held, more where each band has to be
    /// computed with what lies around it.
    pub fn band_rows(&self) -> usize {
        let values = self.parts.iter().map(|(map, _)| map.grid().rows * map.grid().cols * map.dims()).max();
        if values.unwrap_or(0) > HELD { 256 } else { 32 }
    }

    /// Writes the sums of some rows (rows.len()·width·orientations values).
    ///
    /// # Panics
    /// Where the range leaves the maps or `out` has another length.
    pub fn read_rows(&self, rows: Range<usize>, out: &mut [f32]) {
        out.fill(0.0);
        let mut buffer = Vec::new();
        for &(map, weight) in &self.parts {
            let row = map.grid().cols * map.dims();
            let values = match map.held_values() {
                Some(held) => &held[rows.start * row..rows.end * row],
                None => {
                    buffer.resize(rows.len() * row, 0.0);
                    map.read_rows(rows.clone(), &mut buffer);
                    &buffer
                }
            };
            if map.dims() == self.orientations {
                out.iter_mut().zip(values).for_each(|(sum, value)| *sum += weight * value);
                continue;
            }
            for (sums, value) in out.chunks_exact_mut(self.orientations).zip(values) {
                sums.iter_mut().for_each(|sum| *sum += weight * value);
            }
        }
    }

    /// Writes the largest sum over the orientations (rows.len()·width values).
    ///
    /// # Panics
    /// As [`read_rows`](Self::read_rows).
    pub fn read_strongest(&self, rows: Range<usize>, out: &mut [f32]) {
        if self.orientations == 1 {
            return self.read_rows(rows, out);
        }
        let mut sums = vec![0.0; out.len() * self.orientations];
        self.read_rows(rows, &mut sums);
        for (out, sums) in out.iter_mut().zip(sums.chunks_exact(self.orientations)) {
            *out = sums.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        }
    }
}

fn check(map: &FeatureMap<'_>, size: [usize; 2], orientations: usize) -> Result<(), ContourSumError> {
    let (grid, name) = (map.grid(), map.name().to_owned());
    let found = [grid.rows, grid.cols];
    if !grid.is_pixels() || found != size || map.dims() == 0 {
        return Err(ContourSumError::NotPixels { name, size, found, step: grid.step });
    }
    if map.dims() != 1 && map.dims() != orientations {
        return Err(ContourSumError::Orientations { name, found: map.dims(), others: orientations });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Grid;

    fn map(name: &str, dims: usize, values: Vec<f32>) -> FeatureMap<'static> {
        FeatureMap::held(name, Grid::pixels(1, 2), dims, values).unwrap()
    }

    fn weights(pairs: &[(&str, f64)]) -> BTreeMap<String, f64> {
        pairs.iter().map(|&(name, weight)| (name.to_owned(), weight)).collect()
    }

    #[test]
    fn one_strength_adds_to_every_orientation() {
        let maps = [map("a", 1, vec![1.0, 2.0]), map("b", 2, vec![3.0, 0.0, 0.0, 5.0])];
        let sum = ContourSum::of(&maps, &weights(&[("a", 10.0), ("b", 1.0)]), [1, 2]).unwrap().unwrap();
        let mut out = [9.0; 4];
        sum.read_rows(0..1, &mut out);
        assert_eq!(out, [13.0, 10.0, 20.0, 25.0]);
        let mut strongest = [0.0; 2];
        sum.read_strongest(0..1, &mut strongest);
        assert_eq!(strongest, [13.0, 25.0]);
    }

    #[test]
    fn without_names_the_contour_counts_where_it_is() {
        let maps = [map("contour", 1, vec![1.0, 2.0])];
        assert!(ContourSum::of(&maps, &BTreeMap::new(), [1, 2]).unwrap().is_some());
        assert!(ContourSum::of(&[], &BTreeMap::new(), [1, 2]).unwrap().is_none());
        assert!(ContourSum::names(&BTreeMap::new(), "contour"));
        assert!(!ContourSum::names(&weights(&[("a", 1.0)]), "contour"));
    }

    #[test]
    fn maps_that_do_not_fit_are_named() {
        let refused = |maps: &[FeatureMap<'_>], names: &[(&str, f64)]| {
            ContourSum::of(maps, &weights(names), [1, 2]).unwrap_err().to_string()
        };
        let two = [map("a", 2, vec![0.0; 4]), map("b", 3, vec![0.0; 6])];
        assert!(refused(&two, &[("x", 1.0)]).starts_with("contours names x"));
        assert!(refused(&two, &[("a", 1.0), ("b", 1.0)]).starts_with("contour map a has 2 orientations"));
        let small = [FeatureMap::held("a", Grid::pixels(1, 1), 1, vec![0.0]).unwrap()];
        assert!(refused(&small, &[("a", 1.0)]).starts_with("contour map a must hold values per pixel"));
    }
}
