//! Files to nouns and back: images, label maps, data sets, points and graphs.

pub mod atomic;
pub mod dataset;
pub mod decode;
pub mod hash;
pub mod labels;
pub mod matrix_market;
pub mod npy;
pub mod overlay;
pub mod tables;
pub mod truth;

mod field;
mod file_error;
mod input;
mod png_rows;
mod shown;

pub use field::ScalarField;
pub use file_error::FileError;
pub use input::Input;
pub use shown::{Shown, shown};
