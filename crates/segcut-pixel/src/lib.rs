//! Image to planes and to other sizes: color spaces, palettes, Gaussian blur, resizing.
//!
//! Everything that superpixels, features and refinement need of pixels alone. Rows are made on
//! demand ([`lab_rows`], [`scaled_rows`], [`Gaussian::rows`]), so that no stage has to hold planes of
//! a large image.

mod gaussian;
mod lab;
mod lloyd;
mod resize;
mod scaled;

pub use gaussian::{Gaussian, GaussianError, RowShape};
pub use lab::{LAB8_SCALE, LAB8_ZERO, LabError, lab_rows, lab8_rows};
pub use lloyd::{Centres, Lloyd, centres};
pub use resize::{ResizeError, enlarge_labels, resize, shrink};
pub use scaled::scaled_rows;
