//! What the caller decides about reading images.

use serde::{Deserialize, Serialize};

/// What to do with a cut or damaged file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Damaged {
    /// It is an error.
    #[default]
    Fail,
    /// What can be decoded is kept, with a warning; rows and tiles known to be missing are masked out.
    Keep,
}

/// What to do with an alpha channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alpha {
    /// Fully transparent pixels are masked out, the others keep their color.
    #[default]
    Mask,
    /// Every pixel keeps its color.
    Ignore,
    /// The image is laid over white.
    White,
}

/// How images are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DecodeOptions {
    /// Cut or damaged files.
    pub damaged: Damaged,
    /// Alpha channels.
    pub alpha: Alpha,
    /// The most pixels an image may have; the default is where Pillow refuses.
    pub max_pixels: u64,
    /// The most bytes the decoded samples may take.
    pub max_bytes: u64,
    /// The most bytes a file may have; the default leaves room for an uncompressed image of the most pixels.
    pub max_file_bytes: u64,
    /// Which picture of an animation or a multi-page file, from 0.
    pub frame: usize,
    /// The bands to keep, from 1, in this order; all where absent.
    pub bands: Option<Vec<usize>>,
}

impl Default for DecodeOptions {
    fn default() -> Self {
        Self {
            damaged: Damaged::Fail,
            alpha: Alpha::Mask,
            max_pixels: 178_956_970,
            max_bytes: 2 << 30,
            max_file_bytes: 1 << 30,
            frame: 0,
            bands: None,
        }
    }
}
