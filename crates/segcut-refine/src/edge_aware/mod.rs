//! Labels → labels whose borders follow the edges of the image.

mod bilateral_grid;
mod bilateral_solver;
mod cell_table;
mod dense_crf;
mod guided;
mod permutohedral;

pub use bilateral_solver::{BilateralSolver, BilateralSolverParams};
pub use dense_crf::{DenseCrf, DenseCrfParams};
pub use guided::{Guided, GuidedParams};

use segcut_core::{Image, LabelMap, SizeMismatch, StageError, VOID};
use thiserror::Error;

/// The most labels of one image.
const MOST: usize = 256;

/// Why labels cannot be moved to the edges of an image.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum EdgeAwareError {
    /// Image and label map differ in size.
    #[error("image and labels do not fit: {0}")]
    Size(#[from] SizeMismatch),
    /// A plane per label would be too much.
    #[error("{found} labels are too many to refine at once: at most {MOST}")]
    Labels {
        /// How many labels have pixels.
        found: usize,
    },
}

/// A label map whose labels with pixels are numbered without gaps.
struct Classes {
    /// The label of each class.
    names: Vec<u32>,
    /// The class of each pixel; `VOID` outside.
    of_pixel: Vec<u32>,
}

impl Classes {
    fn new(image: &Image, labels: &LabelMap) -> Result<Self, EdgeAwareError> {
        let sizes = [image.height(), image.width(), labels.height(), labels.width()];
        if sizes[..2] != sizes[2..] {
            let [left_height, left_width, right_height, right_width] = sizes;
            return Err(SizeMismatch { left_height, left_width, right_height, right_width }.into());
        }
        let names: Vec<u32> = (0..).zip(labels.sizes()).filter(|(_, size)| *size > 0).map(|(name, _)| name).collect();
        if names.len() > MOST {
            return Err(EdgeAwareError::Labels { found: names.len() });
        }
        let mut classes = vec![VOID; labels.n()];
        names.iter().zip(0..).for_each(|(&name, class)| classes[name as usize] = class);
        let class = |&label: &u32| if label == VOID { VOID } else { classes[label as usize] };
        Ok(Self { of_pixel: labels.labels().iter().map(class).collect(), names })
    }

    fn count(&self) -> usize {
        self.names.len()
    }

    /// 1 where a pixel is of the class, 0 elsewhere.
    fn plane(&self, class: usize) -> impl Iterator<Item = f32> + '_ {
        self.of_pixel.iter().map(move |&other| if other as usize == class { 1.0 } else { 0.0 })
    }

    /// 1 where a pixel has a class, 0 elsewhere.
    fn plane_of_all(&self) -> impl Iterator<Item = f32> + '_ {
        self.of_pixel.iter().map(|&class| if class == VOID { 0.0 } else { 1.0 })
    }

    /// The classes that pixels now have → labels; the given labels, where a class lost too much of itself.
    ///
    /// Each class must overlap what it was by `overlap` (intersection over union), so that none is lost and none changes
    /// places with another.
    fn gated(&self, labels: LabelMap, now: &[u32], overlap: f64) -> LabelMap {
        // Per class: pixels before, after, both.
        let mut counts = vec![[0u64; 3]; self.count()];
        for (&before, &now) in self.of_pixel.iter().zip(now).filter(|(before, _)| **before != VOID) {
            counts[before as usize][0] += 1;
            counts[now as usize][1] += 1;
            counts[before as usize][2] += u64::from(before == now);
        }
        let held = |&[before, after, both]: &[u64; 3]| both as f64 >= overlap * (before + after - both) as f64;
        if !counts.iter().all(held) {
            return labels;
        }
        let n = labels.n();
        labels.map_pixels(n, |at, _| self.names[now[at] as usize])
    }
}

fn share(name: &'static str, value: f64) -> Result<(), StageError> {
    match (0.0..=1.0).contains(&value) {
        true => Ok(()),
        false => Err(StageError::parameter(name, value, "from 0 to 1")),
    }
}

fn width(name: &'static str, value: f64) -> Result<(), StageError> {
    match (0.25..=10_000.0).contains(&value) {
        true => Ok(()),
        false => Err(StageError::parameter(name, value, "from 0.25 to 10000")),
    }
}

fn weight(name: &'static str, value: f64) -> Result<(), StageError> {
    match (0.0..=100_000.0).contains(&value) {
        true => Ok(()),
        false => Err(StageError::parameter(name, value, "from 0 to 100000")),
    }
}

#[cfg(test)]
mod tests;
