//! Image → bin numbers of its colors.

use crate::color::{ColorKind, ColorRows};
use crate::row_map::row_map;
use segcut_core::{BandSource, Codes, ColorSpace, Context, FeatureExtractor, Features, Image, StageError};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Parameters of [`Histogram`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HistogramParams {
    /// Bins of L from 0 to 100; of every channel of a multi-band image.
    pub lightness_bins: usize,
    /// Bins of a and of b.
    pub chroma_bins: usize,
    /// The bins of a and b run from minus this to this; what lies beyond counts in the last bin.
    pub chroma_range: f32,
    /// Standard deviation of the blur along the bins of L, in bins; 0 for none.
    pub lightness_sigma: f64,
    /// Standard deviation of the blur along the bins of a and of b, in bins; 0 for none.
    pub chroma_sigma: f64,
}

impl Default for HistogramParams {
    fn default() -> Self {
        Self { lightness_bins: 25, chroma_bins: 32, chroma_range: 64.0, lightness_sigma: 2.5, chroma_sigma: 2.0 }
    }
}

/// Image → map `histogram`: the bins of L, a and b, to be counted per region.
///
/// Three histograms per region instead of one with all combinations; the graph blurs them along the
/// bins, so that colors on either side of a bin's border stay alike. Gray images have L alone,
/// multi-band images every channel from 0 to 1 in the bins of L.
///
/// # Examples
/// ```
/// use segcut_core::{ColorSpace, Context, FeatureExtractor, Image, Samples};
/// use segcut_features::{Histogram, HistogramParams};
/// let image = Image::new(1, 2, ColorSpace::Gray, Samples::U8(vec![0, 255]))?;
/// let histogram = Histogram::new(HistogramParams::default())?;
/// let features = histogram.extract(std::slice::from_ref(&image), &Context::default())?;
/// let map = &features[0].maps[0];
/// assert_eq!((map.held_values().unwrap(), map.codes().unwrap().bins()), (&[0.0, 24.0][..], &[25][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Histogram {
    params: HistogramParams,
}

impl Histogram {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`].
    pub fn new(params: HistogramParams) -> Result<Self, StageError> {
        let bins = [("histogram.lightness_bins", params.lightness_bins), ("histogram.chroma_bins", params.chroma_bins)];
        for (name, bins) in bins {
            if !(1..=1000).contains(&bins) {
                return Err(StageError::parameter(name, bins, "from 1 to 1000"));
            }
        }
        if !(params.chroma_range > 0.0 && params.chroma_range.is_finite()) {
            return Err(StageError::parameter("histogram.chroma_range", params.chroma_range, "finite and above 0"));
        }
        let sigmas =
            [("histogram.lightness_sigma", params.lightness_sigma), ("histogram.chroma_sigma", params.chroma_sigma)];
        for (name, sigma) in sigmas {
            if !(0.0..=1000.0).contains(&sigma) {
                return Err(StageError::parameter(name, sigma, "from 0 to 1000 bins"));
            }
        }
        Ok(Self { params })
    }

    fn codes(&self, space: ColorSpace, channels: usize) -> Option<Codes> {
        let p = &self.params;
        let (bins, sigmas) = match space {
            ColorSpace::Gray => (vec![p.lightness_bins], vec![p.lightness_sigma]),
            ColorSpace::Multiband => (vec![p.lightness_bins; channels], vec![p.lightness_sigma; channels]),
            ColorSpace::Srgb => (
                vec![p.lightness_bins, p.chroma_bins, p.chroma_bins],
                vec![p.lightness_sigma, p.chroma_sigma, p.chroma_sigma],
            ),
        };
        Codes::new(bins)?.with_smoothing(sigmas)
    }
}

impl FeatureExtractor for Histogram {
    fn extract<'a>(&self, images: &'a [Image], _: &Context) -> Result<Vec<Features<'a>>, StageError> {
        let one = |image: &'a Image| {
            let colors = ColorRows::new(image, ColorKind::Lab);
            let rows = CodeRows { params: self.params.clone(), space: image.space(), width: image.width(), colors };
            let dims = rows.dims();
            let map = row_map("histogram", image, dims, rows)?;
            let map = match self.codes(image.space(), dims) {
                Some(codes) => map.with_codes(codes),
                None => map,
            };
            Ok(Features { maps: vec![map], attention: None })
        };
        images.iter().map(one).collect()
    }
}

struct CodeRows<'a> {
    params: HistogramParams,
    space: ColorSpace,
    width: usize,
    colors: ColorRows<'a>,
}

impl CodeRows<'_> {
    fn dims(&self) -> usize {
        if self.space == ColorSpace::Gray { 1 } else { self.colors.dims() }
    }

    /// Bins of L (or of a channel from 0 to 100), or of a and b.
    fn lightness(&self, value: f32) -> f32 {
        let bins = self.params.lightness_bins as f32;
        (value * (bins / 100.0)).floor().clamp(0.0, bins - 1.0)
    }

    fn chroma(&self, value: f32) -> f32 {
        let (bins, range) = (self.params.chroma_bins as f32, self.params.chroma_range);
        ((value + range) * (bins / (2.0 * range))).floor().clamp(0.0, bins - 1.0)
    }
}

impl BandSource for CodeRows<'_> {
    fn fill(&self, rows: Range<usize>, out: &mut [f32]) {
        if self.space == ColorSpace::Gray {
            let mut lab = vec![0.0; self.width * 3];
            for (row, out) in rows.zip(out.chunks_exact_mut(self.width.max(1))) {
                self.colors.fill(row..row + 1, &mut lab);
                lab.chunks_exact(3).zip(out).for_each(|(lab, out)| *out = self.lightness(lab[0]));
            }
            return;
        }
        self.colors.fill(rows, out);
        if self.space == ColorSpace::Multiband {
            out.iter_mut().for_each(|value| *value = self.lightness(*value));
            return;
        }
        for pixel in out.as_chunks_mut::<3>().0 {
            *pixel = [self.lightness(pixel[0]), self.chroma(pixel[1]), self.chroma(pixel[2])];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::Samples;

    fn values(image: &Image) -> Vec<f32> {
        let histogram = Histogram::new(HistogramParams::default()).unwrap();
        let features = histogram.extract(std::slice::from_ref(image), &Context::default()).unwrap();
        features[0].maps[0].held_values().unwrap().to_vec()
    }

    #[test]
    fn gray_lies_in_the_middle_of_a_and_b_and_colors_beyond_the_range_at_its_ends() {
        let image = Image::new(1, 2, ColorSpace::Srgb, Samples::U8(vec![119, 119, 119, 0, 255, 0])).unwrap();
        let found = values(&image);
        // sRGB 119 is L 50.03; pure green is L 87.7, a −86.2, b 83.2.
        assert_eq!(found[0], 12.0);
        assert!((15.0..=16.0).contains(&found[1]) && (15.0..=16.0).contains(&found[2]));
        assert_eq!(found[3..], [21.0, 0.0, 31.0]);
    }

    #[test]
    fn bands_have_bins_of_their_own() {
        let image = Image::new(1, 1, ColorSpace::Multiband, Samples::F32(vec![0.0, 0.5, 7.0, 1.0])).unwrap();
        assert_eq!(values(&image), [0.0, 12.0, 24.0, 24.0]);
    }

    #[test]
    fn bad_parameters_are_named() {
        let refused = |params| Histogram::new(params).unwrap_err().to_string();
        let base = HistogramParams::default;
        assert!(refused(HistogramParams { chroma_bins: 0, ..base() }).starts_with("histogram.chroma_bins = 0"));
        assert!(refused(HistogramParams { chroma_range: 0.0, ..base() }).starts_with("histogram.chroma_range = 0"));
        assert!(
            refused(HistogramParams { chroma_sigma: f64::NAN, ..base() }).starts_with("histogram.chroma_sigma = NaN")
        );
    }
}
