//! Topology-preserving segmentation: regions whose boundaries move.

use crate::boundary_moves::{Energy, Moves};
use crate::float_space::{self, PlaneParams};
use crate::params::{Distance, SlicParams, at_least_one, positive, sigma_in_range};
use crate::region_merging::Merging;
use crate::slic::{Slic, single_pixels};
use segcut_core::{Context, FeatureMaps, Image, LabelMap, Oversegmenter, StageError, Stop};
use serde::{Deserialize, Serialize};

/// Settings of [`Etps`].
///
/// The defaults are the best that we measured on 30 images of BSDS500 (val).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EtpsParams {
    /// How many regions to make.
    pub n_segments: usize,
    /// The weight of position against color, as in [`SlicParams`](crate::SlicParams); higher is more compact.
    pub compactness: f64,
    /// What each of a pixel's eight neighbours in another region costs, in steps of color of 1/2.55 L.
    pub boundary: f64,
    /// Times that every pixel on a boundary is looked at.
    pub max_num_iter: usize,
    /// Standard deviation of a Gaussian blur before all else, in pixels; 0: none.
    pub sigma: f64,
}

impl Default for EtpsParams {
    fn default() -> Self {
        Self { n_segments: 400, compactness: 7.0, boundary: 3.0, max_num_iter: 5, sigma: 0.7 }
    }
}

/// Small regions per region that is made.
const PIECES: usize = 3;

/// Weight of position while regions merge, over that of SLIC.
const MERGING: f64 = 2.0;

/// A region of less than this share of pixels/n only grows.
const SMALLEST: f64 = 0.3;

/// Image → superpixels with smooth boundaries that follow color.
///
/// Yao, Boben, Fidler & Urtasun, "Real-Time Coarse-to-Fine Topologically Preserving Segmentation", CVPR 2015: pixels on
/// a boundary change sides where that lowers the energy of color, position and boundary length and parts no region.
/// It differs in the coarse level: small SLIC regions are merged by a criterion near to Ward's (1963) instead of blocks
/// being moved, which gives every region the size that its surroundings ask for; and distances are Manhattan as
/// in [`Slic`]. The feature maps are not read.
///
/// As many segments as valid pixels, or more, make every pixel a region. Otherwise regions are 4-connected, as many as
/// asked (islands of a mask aside), and none is under a tenth of pixels/n_segments.
///
/// # Errors
/// None for a valid [`Image`].
///
/// # Determinism
/// The same bytes at any number of threads; nothing is random.
///
/// # Cost
/// Linear in the pixels. SLIC uses all threads, merging and moves one. 4 bytes per pixel and channel for the planes, 4
/// per pixel for labels.
///
/// # Examples
/// ```
/// use segcut_core::{ColorSpace, Context, Image, Oversegmenter, Samples};
/// use segcut_superpixel::{Etps, EtpsParams};
/// let two_halves = (0..32 * 32).map(|i| if i % 32 < 16 { 30 } else { 200 }).collect();
/// let image = Image::new(32, 32, ColorSpace::Gray, Samples::U8(two_halves))?;
/// let etps = Etps::new(EtpsParams { n_segments: 4, ..EtpsParams::default() })?;
/// let map = etps.oversegment(&image, &[], &Context::default())?;
/// assert_eq!(map.n(), 4);
/// assert!(map.labels().chunks(32).all(|row| row[15] != row[16]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Etps {
    params: EtpsParams,
    slic: Slic,
}

impl Etps {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`].
    pub fn new(params: EtpsParams) -> Result<Self, StageError> {
        at_least_one("superpixels.n_segments", params.n_segments)?;
        at_least_one("superpixels.max_num_iter", params.max_num_iter)?;
        positive("superpixels.compactness", params.compactness)?;
        if !(params.boundary >= 0.0 && params.boundary.is_finite()) {
            return Err(StageError::parameter("superpixels.boundary", params.boundary, "a number of at least 0"));
        }
        sigma_in_range(params.sigma)?;
        let slic = Slic::new(SlicParams {
            n_segments: params.n_segments.saturating_mul(PIECES),
            compactness: params.compactness,
            sigma: params.sigma,
            ..SlicParams::default()
        })?;
        Ok(Self { params, slic })
    }
}

impl Oversegmenter for Etps {
    fn oversegment(&self, image: &Image, maps: &FeatureMaps<'_>, context: &Context) -> Result<LabelMap, StageError> {
        let p = &self.params;
        let valid = image.valid().map_or(image.pixels(), |mask| mask.count());
        if p.n_segments >= valid {
            return single_pixels(image);
        }
        let fine = self.slic.oversegment(image, maps, context)?;
        let params = PlaneParams { sigma: p.sigma, stretch: false, distance: Distance::Manhattan };
        let planes = float_space::planes(image, params)?;
        let segment = valid as f64 / p.n_segments as f64;
        let mut merging = Merging::new(&fine, &planes, ((MERGING * p.compactness).powi(2) / segment) as f32);
        merging.run(p.n_segments, context);
        let (names, n) = merging.names();
        let map = fine.map_pixels(n, |_, label| names[label as usize]);
        let energy = Energy {
            position: p.compactness / segment.sqrt(),
            boundary: p.boundary,
            smallest: (SMALLEST * segment) as usize,
        };
        let mut moves = Moves::new(&map, &planes, energy);
        for _ in 0..p.max_num_iter {
            if context.stopped() != Stop::No || moves.sweep() == 0 {
                break;
            }
        }
        LabelMap::with_n(map.height(), map.width(), moves.labels(), n).map(LabelMap::compact).map_err(StageError::data)
    }
}
