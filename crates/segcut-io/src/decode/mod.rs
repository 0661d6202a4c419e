//! Bytes or a file into an [`Image`]: the one door for every picture that segcut reads.
//!
//! The order is fixed: sniff the content (the name plays no part), read the header, check its sizes
//! against the caps *before* anything is allocated, decode behind `catch_unwind`, apply the EXIF or
//! TIFF orientation, turn alpha, "no data" values and non-finite samples into the valid mask.
//!
//! PNG comes from `png`, JPEG from `zune-jpeg`, TIFF from `tiff`, the others from `image`. What is
//! decided here and not there: the caps, damage as an error (`image` fills a cut JPEG with gray and
//! says nothing), the colors of TIFF and of CMYK, planar TIFF, alpha, orientation.

mod alpha;
mod bands;
mod error;
mod exif;
mod finish;
mod generic;
mod gif;
mod jpeg;
mod jpeg_header;
mod levels;
mod limits;
mod npy;
mod open;
mod options;
mod orient;
mod png;
mod raw;
mod sniff;
mod tiff;
mod valid;

pub use error::{DecodeError, Feature};
pub use open::{OpenError, open, open_admitted};
pub use options::{Alpha, Damaged, DecodeOptions};
pub use sniff::{Content, Format};

use raw::{Effort, Job, Raw};
use segcut_core::Image;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An image and what the user should know about how it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// The samples, upright, with the valid mask.
    pub image: Image,
    /// What the content was.
    pub format: Format,
    /// The EXIF orientation (1 to 8) that was applied; 1 where there is none or it is no such number.
    pub orientation: u8,
    /// What went on in silence otherwise.
    pub warnings: Vec<Warning>,
}

/// Something that the user should know about a picture that was read all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// The file holds several pictures.
    #[error("frame {used} of {} was used", .frames.map_or_else(|| "several".to_owned(), |n| n.to_string()))]
    Frames {
        /// The frame, counted from 0.
        used: usize,
        /// How many there are, where that is known without decoding them.
        frames: Option<usize>,
    },
    /// The file is damaged and was kept on request.
    #[error("kept although damaged: {reason}")]
    Damaged {
        /// What the strict decoder said.
        reason: String,
    },
    /// The name's ending tells of another format than the content.
    #[error("the content is {format}, whatever the name's ending says")]
    Extension {
        /// What the content is.
        format: Format,
    },
}

impl Warning {
    /// A short word for journals.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Frames { .. } => "warning/frames",
            Self::Damaged { .. } => "warning/damaged",
            Self::Extension { .. } => "warning/extension",
        }
    }
}

/// The bytes of an image file into an [`Image`].
///
/// u8 and u16 samples stay as they are; all others become f32 (integers keep their values, except in
/// RGB where they are scaled to 0..1). One channel of brightness is `Gray`, three of color are `Srgb`
/// (palettes, CMYK and YCbCr are converted), everything else is `Multiband`. Alpha never becomes a
/// channel. Three-channel arrays of floats are `Srgb` where all values lie in 0..1.
///
/// # Errors
/// [`DecodeError`]; its `code()` is stable.
///
/// # Cost
/// At most two copies of the decoded samples at a time (progressive JPEG: 6 more bytes a pixel).
///
/// # Examples
/// ```
/// use segcut_io::decode::{DecodeOptions, decode};
/// let decoded = decode(b"P5 2 1 255 \x00\xff", &DecodeOptions::default()).unwrap();
/// assert_eq!((decoded.image.height(), decoded.image.width()), (1, 2));
/// let error = decode(b"<html><body>404</body></html>", &DecodeOptions::default()).unwrap_err();
/// assert_eq!(error.code(), "decode/unrecognised");
/// assert!(error.to_string().contains("HTML"));
/// ```
pub fn decode(bytes: &[u8], options: &DecodeOptions) -> Result<Decoded, DecodeError> {
    decode_admitted(bytes, options, &|_| Ok(()))
}

/// What an image will take, as its header has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// Rows times columns.
    pub pixels: u64,
    /// Bytes of the decoded samples.
    pub sample_bytes: u64,
}

/// Is told what an image will take before any memory is taken for it, and may wait, or refuse with
/// [`DecodeError::TooMuchMemory`]. It is called again where a damaged file is read a second time.
pub type Admit<'a> = &'a dyn Fn(Need) -> Result<(), DecodeError>;

/// The bytes of an image file into an [`Image`], once `admit` lets it; see [`decode`].
///
/// # Errors
/// [`DecodeError`]; also what `admit` returns.
///
/// # Examples
/// ```
/// use segcut_io::decode::{DecodeError, DecodeOptions, decode_admitted};
/// let small_only = |need: segcut_io::decode::Need| match need.pixels {
///     0..100 => Ok(()),
///     pixels => Err(DecodeError::TooMuchMemory { needs: 30 * pixels, cap: 3000 }),
/// };
/// assert!(decode_admitted(b"P5 2 1 255 \x00\xff", &DecodeOptions::default(), &small_only).is_ok());
/// let error = decode_admitted(b"P5 200 100 255 ", &DecodeOptions::default(), &small_only).unwrap_err();
/// assert_eq!(error.code(), "limits/memory");
/// ```
pub fn decode_admitted(bytes: &[u8], options: &DecodeOptions, admit: Admit<'_>) -> Result<Decoded, DecodeError> {
    let format = sniff::sniff(bytes)?;
    let job = |effort| Job { bytes, options, effort, admit };
    let raw = match guarded(format, &job(Effort::Strict)) {
        // A second, lenient pass over a file that the strict one refused.
        Err(error) if error.is_damage() && options.damaged == Damaged::Keep => {
            let mut raw = guarded(format, &job(Effort::Lenient))?;
            raw.warnings.push(Warning::Damaged { reason: error.to_string() });
            raw
        }
        other => other?,
    };
    finish::finish(raw, format, options)
}

/// Runs one decoder; a panic inside it becomes an error. Everything it touches is dropped then.
fn guarded(format: Format, job: &Job<'_>) -> Result<Raw, DecodeError> {
    let read = match format {
        Format::Png => png::read,
        Format::Jpeg => jpeg::read,
        Format::Gif => gif::read,
        Format::WebP => generic::read_webp,
        Format::Bmp => generic::read_bmp,
        Format::Pnm => generic::read_pnm,
        Format::Tiff => tiff::read,
        Format::Npy => npy::read,
    };
    catch_unwind(AssertUnwindSafe(|| read(job))).unwrap_or(Err(DecodeError::Crashed { format }))
}
