//! A few rows times one panel of 32 columns, as fast as the processor allows: what matrix products are made of.
//!
//! The instruction set is found at run time. [`Isa::multiply`] and [`Isa::add_by_columns`] work on f32, [`multiply`] on 16-bit whole numbers, which
//! [`Room16`] makes of f32; [`pack`], [`pack_transposed`], [`pack_pairs`] and [`Panels16`] lay out the right factor.

mod microkernel;
mod microkernel_i16;
#[cfg(target_arch = "x86_64")]
mod microkernel_x86;
mod panels;
mod panels_i16;

pub use microkernel::{Columns, Isa, Lines, PANEL, Right, Rows, RowsMut};
pub use microkernel_i16::{Right16, Room16, Rows16, is_fast, multiply, pack_pairs};
pub use panels::{pack, pack_transposed};
pub use panels_i16::Panels16;
