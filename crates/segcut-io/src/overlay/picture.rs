//! Image → 8-bit RGB picture → PNG.

use super::stretch::Stretch;
use crate::atomic::{self, WriteError};
use crate::png_rows::{PngFormat, write_png};
use png::{BitDepth, ColorType};
use segcut_core::{ColorSpace, Image, Samples};
use std::io;
use std::path::Path;

/// H×W pixels of red, green and blue.
///
/// *Guarantees*: 3·height·width bytes, row-major.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) rgb: Vec<u8>,
}

/// Side of a square of the checkerboard that stands for pixels without data.
const CHECKER: usize = 8;
const CHECKER_GRAYS: [u8; 2] = [102, 153];

impl Picture {
    /// What an image looks like.
    ///
    /// 8-bit gray and color images, and f32 color images within 0 to 1, are shown as they are. Other samples are
    /// stretched linearly from their 2nd to their 98th percentile: together for gray and color, band by band for
    /// [`ColorSpace::Multiband`], of which the first three bands are shown (the first as gray where there are
    /// fewer). Pixels outside the valid mask are a checkerboard.
    ///
    /// # Cost
    /// Three bytes per pixel. Percentiles come from at most 65,536 evenly spaced pixels.
    ///
    /// ```
    /// use segcut_core::{ColorSpace, Image, Samples};
    /// use segcut_io::overlay::Picture;
    /// let image = Image::new(1, 2, ColorSpace::Gray, Samples::U8(vec![0, 200]))?;
    /// assert_eq!(Picture::from_image(&image).rgb(), [0, 0, 0, 200, 200, 200]);
    /// # Ok::<(), segcut_core::ImageError>(())
    /// ```
    pub fn from_image(image: &Image) -> Self {
        let (height, width) = (image.height(), image.width());
        let mut rgb = vec![0; 3 * height * width];
        let stretch = Stretch::of(image);
        match image.samples() {
            Samples::U8(v) => fill(&mut rgb, image, v, |v, channel| stretch.byte(channel, v.into())),
            Samples::U16(v) => fill(&mut rgb, image, v, |v, channel| stretch.byte(channel, v.into())),
            Samples::F32(v) => fill(&mut rgb, image, v, |v, channel| stretch.byte(channel, v)),
        }
        let mut picture = Self { height, width, rgb };
        if let Some(valid) = image.valid() {
            picture.checker_where(|at| !valid.bits()[at]);
        }
        picture
    }

    /// A picture of one color.
    pub fn filled(height: usize, width: usize, color: [u8; 3]) -> Self {
        Self { height, width, rgb: color.repeat(height * width) }
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Row-major red, green and blue.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// Writes the picture as a PNG, whole or not at all.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn write_png(&self, file: &Path) -> Result<(), WriteError> {
        atomic::write_with(file, |out| self.encode(out))
    }

    /// The bytes of a PNG.
    ///
    /// # Errors
    /// What the encoder says, for example of a picture without pixels.
    pub fn png(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(self.rgb.len() / 2);
        self.encode(&mut bytes)?;
        Ok(bytes)
    }

    fn encode<W: io::Write>(&self, out: W) -> io::Result<()> {
        let &Self { height, width, .. } = self;
        let format = PngFormat { height, width, color: ColorType::Rgb, depth: BitDepth::Eight, palette: None };
        write_png(out, &format, |row, bytes| bytes.copy_from_slice(&self.rgb[3 * row * width..][..3 * width]))
    }

    /// The pixels, to change in place.
    pub(super) fn pixels_mut(&mut self) -> &mut [[u8; 3]] {
        self.rgb.as_chunks_mut::<3>().0
    }

    /// Draws the checkerboard where the condition holds.
    pub(super) fn checker_where(&mut self, absent: impl Fn(usize) -> bool) {
        let width = self.width;
        for (at, pixel) in self.pixels_mut().iter_mut().enumerate().filter(|(at, _)| absent(*at)) {
            let square = (at / width / CHECKER + at % width / CHECKER) % 2;
            *pixel = [CHECKER_GRAYS[square]; 3];
        }
    }
}

/// Writes three bytes per pixel: the first three channels, or the first one thrice.
fn fill<T: Copy>(rgb: &mut [u8], image: &Image, samples: &[T], byte: impl Fn(T, usize) -> u8) {
    let channels = image.channels();
    let pixels = rgb.as_chunks_mut::<3>().0.iter_mut().zip(samples.chunks_exact(channels));
    if channels < 3 || image.space() == ColorSpace::Gray {
        pixels.for_each(|(pixel, sample)| *pixel = [byte(sample[0], 0); 3]);
    } else {
        pixels.for_each(|(pixel, s)| *pixel = [byte(s[0], 0), byte(s[1], 1), byte(s[2], 2)]);
    }
}
