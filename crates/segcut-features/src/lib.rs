//! Image to FeatureMap: color, position, texture, contour strength, codes of colors, patches of pixels.
//!
//! Every extractor computes its map in bands of rows, whose values do not depend on how the rows are
//! cut; maps of up to 4 million values are held, larger ones are computed as they are read.

mod coarse_grid;
mod color;
mod contour;
mod detail;
mod disc_rows;
mod gradient;
mod half_disc;
mod histogram;
mod local_variance;
mod palette;
mod patch;
mod position;
mod pyramid;
mod row_map;
mod texture;

pub use color::{Color, ColorKind, ColorParams};
pub use contour::{Contour, ContourParams};
pub use detail::{Detail, DetailParams};
pub use half_disc::{DiscScale, HalfDisc, HalfDiscParams};
pub use histogram::{Histogram, HistogramParams};
pub use palette::{Palette, PaletteParams, PaletteUnit, Statistic};
pub use patch::{Patch, PatchParams};
pub use position::{Position, PositionParams, PositionUnit};
pub use texture::{Texture, TextureParams};
