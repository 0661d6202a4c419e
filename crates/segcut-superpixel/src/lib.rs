//! Image to LabelMap: superpixels.
//!
//! [`Slic`] clusters pixels in color and position, [`Snic`] grows regions from seeds,
//! [`Etps`] merges small regions and moves their boundaries; [`Grid`] cuts into squares (or
//! into the cells of a feature map), [`Watershed`] floods a contour map. All are
//! [`Oversegmenter`](segcut_core::Oversegmenter)s; pixels outside the image's
//! valid mask are VOID.

mod boundary_moves;
mod connectivity;
mod engine;
mod etps;
mod feature_planes;
mod float_space;
mod gaussian8;
mod grid;
mod joining;
mod lab8_space;
mod means;
mod params;
mod region_merging;
mod runs;
mod seeds;
mod slic;
mod snic;
mod strip;
mod watershed;

pub use etps::{Etps, EtpsParams};
pub use feature_planes::FeaturePlanesError;
pub use grid::{Grid, GridError, GridFrom, GridParams};
pub use params::{Distance, Seeding, SlicFrom, SlicParams};
pub use slic::Slic;
pub use snic::{Snic, SnicParams};
pub use watershed::{Watershed, WatershedError, WatershedParams};
