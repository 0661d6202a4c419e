//! What a format's decoder hands over, before orientation, alpha and masks.

use super::{Admit, DecodeOptions, Warning};
use segcut_core::Samples;

/// How hard a decoder tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    /// Any damage is an error.
    Strict,
    /// What was decoded before the damage is returned.
    Lenient,
}

/// One file to decode.
pub(super) struct Job<'a> {
    pub bytes: &'a [u8],
    pub options: &'a DecodeOptions,
    pub effort: Effort,
    /// Asked before memory is taken for the samples.
    pub admit: Admit<'a>,
}

impl Job<'_> {
    /// Whether damaged parts are shown as they are.
    pub fn lenient(&self) -> bool {
        self.effort == Effort::Lenient
    }
}

/// What the channels before alpha mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Gray,
    /// Red, green, blue; further channels may follow.
    Rgb,
    Bands,
}

/// Decoded samples as they lie in the file, row-major and interleaved.
pub(super) struct Raw {
    pub height: usize,
    pub width: usize,
    /// All channels, alpha included.
    pub channels: usize,
    pub meaning: Meaning,
    /// Whether the last channel is alpha.
    pub alpha: bool,
    pub samples: Samples,
    /// Pixels that were decoded, where some were not.
    pub decoded: Option<Vec<bool>>,
    /// The value that stands for "no data".
    pub nodata: Option<f64>,
    pub orientation: u8,
    pub warnings: Vec<Warning>,
}

impl Raw {
    /// Gray, gray + alpha, RGB or RGBA by the number of channels.
    pub fn color(height: usize, width: usize, channels: usize, samples: Samples) -> Self {
        Self {
            height,
            width,
            channels,
            meaning: if channels < 3 { Meaning::Gray } else { Meaning::Rgb },
            alpha: channels == 2 || channels == 4,
            samples,
            decoded: None,
            nodata: None,
            orientation: 1,
            warnings: Vec::new(),
        }
    }
}
