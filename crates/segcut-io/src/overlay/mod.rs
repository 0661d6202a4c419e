//! Images, labels, masks and fields → pictures for people.
//!
//! A picture takes three bytes per pixel; everything is drawn into it in place, row by row.

mod colormap;
mod field;
mod palette;
mod picture;
mod regions;
mod scatter;
mod stretch;
mod thumbnail;

pub use colormap::Colormap;
pub use field::field_picture;
pub use palette::region_color;
pub use picture::Picture;
pub use regions::{Fill, RegionStyle, draw_boundaries, draw_mask, draw_regions};
pub use scatter::scatter;
