//! TIFF and BigTIFF: the `tiff` crate reads samples, the colors are made here.
//!
//! Two faults of the crate are walked around. It drops or refuses channels by its own reading of the
//! photometric interpretation, so it is shown a file in which that tag says "gray" (see [`shown`]); and its
//! whole-image reader returns only the first plane of planar files, so chunks are read one by one.

mod chunks;
mod color;
mod pages;
mod shown;
mod tags;

use super::limits::{check_pixels, max_bytes};
use super::raw::{Job, Raw};
use super::{DecodeError, Format, Warning};
use ::tiff::TiffError;
use ::tiff::decoder::{Decoder, Limits};
use pages::Page;
use shown::ShownAsGray;
use tags::Tags;

/// A TIFF's bytes into raw samples of one of its pages.
pub(super) fn read(job: &Job<'_>) -> Result<Raw, DecodeError> {
    let pages = pages::walk(job.bytes);
    let page = pages.get(job.options.frame).ok_or_else(|| match pages.len() {
        0 => DecodeError::damaged(Format::Tiff, "there is no image directory"),
        frames => DecodeError::NoSuchFrame { frame: job.options.frame, frames },
    })?;
    let mut raw = read_page(job, page)?;
    let others = pages.iter().filter(|page| !page.reduced).count();
    if others > 1 {
        raw.warnings.push(Warning::Frames { used: job.options.frame, frames: Some(pages.len()) });
    }
    Ok(raw)
}

fn read_page(job: &Job<'_>, page: &Page) -> Result<Raw, DecodeError> {
    let mut limits = Limits::default();
    limits.decoding_buffer_size = max_bytes(job.options);
    limits.intermediate_buffer_size = job.bytes.len();
    // No tag's value can be larger than the file; 64 MiB hold the offsets of 8 million chunks.
    limits.ifd_value_size = job.bytes.len().min(64 << 20);
    let shown = ShownAsGray::new(job.bytes, page);
    let mut decoder = Decoder::new(shown).map_err(refused)?.with_limits(limits);
    if job.options.frame > 0 {
        decoder.seek_to_image(job.options.frame).map_err(refused)?;
    }
    let (width, height) = decoder.dimensions().map_err(refused)?;
    check_pixels(u64::from(height), u64::from(width), job.options)?;
    let tags = Tags::read(&mut decoder, page).map_err(refused)?;
    color::check(&tags)?;
    let stored = chunks::read(&mut decoder, &tags, job)?;
    color::interpret(stored, tags)
}

/// Sorts the `tiff` crate's errors into ours.
fn refused(error: TiffError) -> DecodeError {
    match error {
        TiffError::UnsupportedError(_) => DecodeError::unsupported(Format::Tiff, error),
        TiffError::FormatError(::tiff::TiffFormatError::InvalidDimensions(width, height)) => {
            DecodeError::Empty { height: u64::from(height), width: u64::from(width) }
        }
        error => DecodeError::damaged(Format::Tiff, error),
    }
}
