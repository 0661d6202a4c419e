//! What a user may set.

use crate::float_space::PlaneParams;
use segcut_core::StageError;
use serde::{Deserialize, Serialize};

/// How far a pixel is from a centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distance {
    /// Σ|Δcolor| + compactness · (|Δx| + |Δy|)/S: fast-slic's, the better one on photographs.
    Manhattan,
    /// √(ΔLab² + (compactness · Δxy/S)²): Achanta et al. 2012, eq. 3, and scikit-image.
    Euclidean,
}

/// Where the centres start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seeding {
    /// Exactly n_segments, in rows of nearly equal number.
    Even,
    /// On a square lattice of whole steps, as scikit-image's `regular_grid`: fewer than asked, as a rule.
    Lattice,
}

/// What is clustered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlicFrom {
    /// The image's colors or bands.
    #[default]
    Image,
    /// The feature maps before the superpixels, all channels of all maps that do not hold codes: bilinear between the
    /// centres of cells, each map centred and scaled to the spread that Lab has in photographs. No blur, no stretch.
    Features,
}

/// Settings of [`Slic`](crate::Slic), named as in scikit-image.
///
/// `n_segments`, `compactness`, `max_num_iter`, `sigma`, `enforce_connectivity`, `min_size_factor`,
/// `max_size_factor` and `slic_zero` mean what they mean there with `distance = "euclidean"`, `seeding = "lattice"`,
/// `row_stride = 1` and `stretch = true`; its `convert2lab` follows from the image's color
/// space, its `mask` is the image's valid mask, its `spacing` is 1, and labels start at 0.
///
/// The defaults are the best that we measured on BSDS500 (train and val).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SlicParams {
    /// How many regions to aim at.
    pub n_segments: usize,
    /// The weight of position against color; higher is more compact. With [`Distance::Euclidean`] in
    /// units of Lab as in scikit-image; with [`Distance::Manhattan`] in units of 1/2.55 L, as in fast-slic.
    pub compactness: f64,
    /// Rounds of assignment and update.
    pub max_num_iter: usize,
    /// Standard deviation of a Gaussian blur before all else, in pixels; 0: none.
    pub sigma: f64,
    /// Whether every region is made one 4-connected piece.
    pub enforce_connectivity: bool,
    /// The smallest region, as a share of pixels/n_segments. 0.35 makes about as many regions of a
    /// photograph as asked; scikit-image's default is 0.5, fast-slic's 0.25.
    pub min_size_factor: f64,
    /// The largest connected piece, as a share of pixels/n_segments; larger ones are cut.
    pub max_size_factor: f64,
    /// SLICO: after each round a region divides distances of color by the largest that it holds, and
    /// compactness matters for the first round only.
    pub slic_zero: bool,
    /// Stretch the whole image to 0 … 1 by its own smallest and largest sample before Lab, as
    /// scikit-image does.
    pub stretch: bool,
    /// The distance.
    pub distance: Distance,
    /// The start.
    pub seeding: Seeding,
    /// All rounds but the last look at every n-th row only (fast-slic's `subsample_stride`, which is 3). None: a
    /// third of the rows from one seed to the next, at most 8.
    pub row_stride: Option<usize>,
    /// Each seed moves to the pixel of its 3x3 neighbourhood with the smallest gradient (Achanta et al. 2012, section 3);
    /// scikit-image does not. On photographs it makes no difference: recall −0.002, undersegmentation error −0.0003.
    pub move_seeds: bool,
    /// What is clustered.
    pub from: SlicFrom,
}

impl Default for SlicParams {
    fn default() -> Self {
        Self {
            n_segments: 400,
            compactness: 7.0,
            max_num_iter: 10,
            sigma: 0.7,
            enforce_connectivity: true,
            min_size_factor: 0.35,
            max_size_factor: 3.0,
            slic_zero: false,
            stretch: false,
            distance: Distance::Manhattan,
            seeding: Seeding::Even,
            row_stride: None,
            move_seeds: false,
            from: SlicFrom::Image,
        }
    }
}

impl SlicParams {
    pub(crate) fn check(&self) -> Result<(), StageError> {
        at_least_one("superpixels.n_segments", self.n_segments)?;
        at_least_one("superpixels.max_num_iter", self.max_num_iter)?;
        at_least_one("superpixels.row_stride", self.row_stride.unwrap_or(1))?;
        sigma_in_range(self.sigma)?;
        if !(0.0..1.0).contains(&self.min_size_factor) {
            let expected = "from 0 to below 1";
            return Err(StageError::parameter("superpixels.min_size_factor", self.min_size_factor, expected));
        }
        positive("superpixels.compactness", self.compactness)?;
        if self.max_size_factor.is_nan() || self.max_size_factor < 1.0 {
            return Err(StageError::parameter("superpixels.max_size_factor", self.max_size_factor, "at least 1"));
        }
        Ok(())
    }

    pub(crate) fn planes(&self) -> PlaneParams {
        PlaneParams { sigma: self.sigma, stretch: self.stretch, distance: self.distance }
    }
}

pub(crate) fn at_least_one(name: &'static str, value: usize) -> Result<(), StageError> {
    match value {
        0 => Err(StageError::parameter(name, 0, "at least 1")),
        _ => Ok(()),
    }
}

pub(crate) fn positive(name: &'static str, value: f64) -> Result<(), StageError> {
    match value > 0.0 && value.is_finite() {
        true => Ok(()),
        false => Err(StageError::parameter(name, value, "a number above 0")),
    }
}

pub(crate) fn sigma_in_range(sigma: f64) -> Result<(), StageError> {
    match (0.0..=1000.0).contains(&sigma) {
        true => Ok(()),
        false => Err(StageError::parameter("superpixels.sigma", sigma, "from 0 to 1000")),
    }
}
