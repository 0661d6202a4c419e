//! Why there is no image.

use super::{Content, Format};
use segcut_core::ImageError;
use std::error::Error as StdError;
use std::io;
use thiserror::Error;

/// What a decoding library said.
pub(super) type Cause = Box<dyn StdError + Send + Sync>;

/// Something that a format allows and segcut does not read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Feature {
    /// JPEG with 12 or 16 bits a sample.
    #[error("{0} bits a sample")]
    Bits(u32),
    /// A number of color components without a meaning.
    #[error("{0} color components")]
    Components(u32),
    /// A TIFF photometric interpretation (tag 262).
    #[error("photometric interpretation {0}")]
    Photometric(u32),
    /// A TIFF color type whose samples have another type than the colors are defined for.
    #[error("this sample type in photometric interpretation {0}")]
    SampleType(u32),
    /// TIFF with subsampled chroma outside JPEG.
    #[error("subsampled chroma")]
    Subsampling,
    /// JPEG with arithmetic coding, lossless or hierarchical JPEG.
    #[error("coding process SOF{0}")]
    Process(u8),
    /// Baseline JPEG whose components lie in separate scans, with subsampled rows.
    #[error("subsampled components in separate scans")]
    SeparateScans,
    /// An array type that is no u8, u16, f32 or f64 in C order.
    #[error("an array that is not bool, u8, u16, f32 or f64 in C order")]
    ArrayType,
    /// An array with another number of axes than 2 or 3.
    #[error("an array with {0} axes")]
    Axes(usize),
}

/// Why bytes made no image.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes are no image.
    #[error("this is no image: it looks like {content}")]
    Unrecognised {
        /// What they look like.
        content: Content,
    },
    /// The bytes are a picture or document of a kind that is never decoded.
    #[error("{content} is not supported; PNG, JPEG, WebP, GIF, BMP, PNM, TIFF and .npy are")]
    UnsupportedContent {
        /// What they look like.
        content: Content,
    },
    /// The format is read, but not this variety of it.
    #[error("this variety of {format} is not supported: {source}")]
    Unsupported {
        /// The format.
        format: Format,
        /// What is missing, a [`Feature`] or the library's own words.
        source: Cause,
    },
    /// The file is cut or damaged.
    #[error("the {format} is cut or damaged: {source}")]
    Damaged {
        /// The format.
        format: Format,
        /// What the decoder met.
        source: Cause,
    },
    /// The decoder ran into one of its own checks.
    #[error("the {format} is damaged: the decoder gave up on it")]
    Crashed {
        /// The format.
        format: Format,
    },
    /// The header says that a side is 0.
    #[error("the image is empty: {height}x{width} (height x width)")]
    Empty {
        /// Rows.
        height: u64,
        /// Columns.
        width: u64,
    },
    /// Too many pixels.
    #[error("{height}x{width} (height x width) is more than the {cap} pixels allowed")]
    TooManyPixels {
        /// Rows.
        height: u64,
        /// Columns.
        width: u64,
        /// The cap.
        cap: u64,
    },
    /// The decoded samples would take too much memory.
    #[error("the samples would take {bytes} bytes, more than the {cap} allowed")]
    TooManyBytes {
        /// What the samples would take.
        bytes: u64,
        /// The cap.
        cap: u64,
    },
    /// The image, with all that is computed from it, would take too much memory.
    #[error("it would take about {} MiB of memory, more than the {} MiB allowed", .needs >> 20, .cap >> 20)]
    TooMuchMemory {
        /// What it would take, in bytes.
        needs: u64,
        /// What the caller has for it.
        cap: u64,
    },
    /// The file is too large to be read at all.
    #[error("the file has {bytes} bytes, more than the {cap} allowed")]
    FileTooLarge {
        /// Its size, as far as it was seen.
        bytes: u64,
        /// The cap.
        cap: u64,
    },
    /// There is no such frame.
    #[error("there is no frame {frame}: the file has {frames} (counted from 0)")]
    NoSuchFrame {
        /// The frame that was asked for.
        frame: usize,
        /// How many there are.
        frames: usize,
    },
    /// The bands asked for do not fit the image.
    #[error("bands {bands:?} cannot be taken from {channels} channels: each must be 1 to {channels}, none twice")]
    NoSuchBand {
        /// What was asked for, from 1.
        bands: Vec<usize>,
        /// How many channels there are, alpha aside.
        channels: usize,
    },
    /// No pixel is left: all are transparent, no data or not finite.
    #[error("no pixel is left: all are transparent, without data or not finite")]
    NothingValid,
    /// The parts do not make an image.
    #[error("the {format} does not hold together: {source}")]
    Inconsistent {
        /// The format.
        format: Format,
        /// Which rule is broken.
        source: ImageError,
    },
    /// The file is a folder, a pipe or a device.
    #[error("it is {kind}, not a regular file")]
    NotAFile {
        /// What it is.
        kind: &'static str,
    },
    /// The system refused.
    #[error("{source}")]
    Io {
        /// What the system said.
        source: io::Error,
    },
}

impl DecodeError {
    pub(super) fn damaged(format: Format, source: impl Into<Cause>) -> Self {
        Self::Damaged { format, source: source.into() }
    }

    pub(super) fn unsupported(format: Format, source: impl Into<Cause>) -> Self {
        Self::Unsupported { format, source: source.into() }
    }

    /// Whether a lenient second pass may still find something.
    pub(super) fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::Crashed { .. })
    }

    /// A short stable word for journals and scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unrecognised { .. } => "decode/unrecognised",
            Self::UnsupportedContent { .. } | Self::Unsupported { .. } => "unsupported",
            Self::Damaged { .. } | Self::Crashed { .. } | Self::Inconsistent { .. } => "decode/damaged",
            Self::Empty { .. } => "decode/empty",
            Self::TooManyPixels { .. } => "limits/pixels",
            Self::TooManyBytes { .. } => "limits/bytes",
            Self::TooMuchMemory { .. } => "limits/memory",
            Self::FileTooLarge { .. } => "limits/file",
            Self::NoSuchFrame { .. } => "decode/frame",
            Self::NoSuchBand { .. } => "decode/bands",
            Self::NothingValid => "mask/empty",
            Self::NotAFile { .. } => "io/notafile",
            Self::Io { source } => io_code(source.kind()),
        }
    }
}

fn io_code(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::NotFound => "io/notfound",
        io::ErrorKind::PermissionDenied => "io/denied",
        _ => "io/read",
    }
}
