//! Image to planes and to other sizes: color spaces, palettes, Gaussian blur, guided filter, resizing.
//!
//! Everything that superpixels, features and refinement need of pixels alone. Rows are made on
//! demand ([`lab_rows`], [`scaled_rows`], [`Gaussian::rows`]), so that no stage has to hold planes of
//! a large image.

mod area_mean;
mod bilinear;
mod convolution;
mod gaussian;
mod guided_filter;
mod lab;
mod lloyd;
mod resize;
mod scaled;
mod whole_blur;

pub use area_mean::AreaMean;
pub use bilinear::Bilinear;
pub use gaussian::{Gaussian, GaussianError, RowShape, reflect};
pub use guided_filter::{GuidedFilter, LANES, Lanes};
pub use lab::{LAB8_SCALE, LAB8_ZERO, LabError, lab_rows, lab8_rows};
pub use lloyd::{Centres, Lloyd, centres};
pub use resize::{Filter, ResizeError, enlarge_labels, interpolate, resize, resize_with, shrink};
pub use scaled::scaled_rows;
pub use whole_blur::whole_blur;
