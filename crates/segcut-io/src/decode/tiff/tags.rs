//! The tags that decide how samples are laid out and what they mean.

use super::pages::Page;
use ::tiff::TiffResult;
use ::tiff::decoder::Decoder;
use ::tiff::tags::Tag;
use std::io::{Read, Seek};

/// What the tags of one page say.
pub(super) struct Tags {
    pub height: usize,
    pub width: usize,
    pub samples: usize,
    pub bits: u32,
    /// 1 unsigned, 2 signed, 3 float.
    pub sample_format: u32,
    pub photometric: u32,
    pub planar: bool,
    pub compression: u32,
    pub extra: Vec<u32>,
    pub palette: Option<Vec<u32>>,
    pub subsampling: Vec<u32>,
    pub orientation: u8,
    pub nodata: Option<f64>,
}

impl Tags {
    /// Reads those of a page that the decoder stands at.
    pub fn read<R: Read + Seek>(decoder: &mut Decoder<R>, page: &Page) -> TiffResult<Self> {
        let (width, height) = decoder.dimensions()?;
        let mut list = |tag| decoder.find_tag_unsigned_vec::<u32>(tag).map(Option::unwrap_or_default);
        let first = |values: Vec<u32>, otherwise| values.first().copied().unwrap_or(otherwise);
        Ok(Self {
            height: height as usize,
            width: width as usize,
            samples: first(list(Tag::SamplesPerPixel)?, 1) as usize,
            bits: first(list(Tag::BitsPerSample)?, 1),
            sample_format: first(list(Tag::SampleFormat)?, 1),
            photometric: page.photometric.map_or(1, |(_, value)| value),
            planar: first(list(Tag::PlanarConfiguration)?, 1) == 2,
            compression: first(list(Tag::Compression)?, 1),
            extra: list(Tag::ExtraSamples)?,
            palette: Some(list(Tag::ColorMap)?).filter(|map| !map.is_empty()),
            subsampling: list(Tag::ChromaSubsampling)?,
            orientation: u8::try_from(first(list(Tag::Orientation).unwrap_or_default(), 1)).unwrap_or(1),
            nodata: decoder.get_tag_ascii_string(Tag::GdalNodata).ok().and_then(|text| number(&text)),
        })
    }
}

fn number(text: &str) -> Option<f64> {
    text.trim_matches(|c: char| c == '\0' || c.is_whitespace()).parse().ok()
}
