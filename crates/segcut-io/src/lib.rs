//! Files to nouns and back: images, label maps, data sets.

pub mod atomic;
pub mod dataset;
pub mod decode;
pub mod hash;
pub mod labels;
pub mod matrix_market;
pub mod npy;
pub mod overlay;
pub mod truth;

mod field;
mod file_error;
mod png_rows;
mod shown;

pub use field::ScalarField;
pub use file_error::FileError;
pub use shown::{Shown, shown};
