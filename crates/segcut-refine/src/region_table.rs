//! Size, place and mean color of every region.

use segcut_core::{ColorSpace, Image, ImageError, LabelMap, Samples, SizeMismatch, VOID};
use segcut_pixel::LabError;
use thiserror::Error;

/// What one pass over the pixels knows about every region.
#[derive(Debug, Clone)]
pub(crate) struct RegionTable {
    /// Pixels.
    pub(crate) area: Vec<f64>,
    /// Pixels on the frame of the image.
    pub(crate) frame: Vec<f64>,
    /// Sums of the pixels' (row, column).
    places: Vec<[f64; 2]>,
    /// n × channels.
    colors: Vec<f64>,
    channels: usize,
    /// Sums of the samples while they are gathered, n × channels.
    sums: Vec<f64>,
}

/// Why an image and a label map make no table.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum RegionTableError {
    /// Image and label map differ in size.
    #[error("image and labels do not fit: {0}")]
    Size(#[from] SizeMismatch),
    /// The mean colors make no image.
    #[error("mean colors: {0}")]
    Means(#[from] ImageError),
    /// The mean colors have no Lab.
    #[error("mean colors: {0}")]
    Lab(#[from] LabError),
}

impl RegionTable {
    /// Image and label map of one size → the table.
    ///
    /// # Errors
    /// [`RegionTableError`].
    pub(crate) fn measure(image: &Image, map: &LabelMap) -> Result<Self, RegionTableError> {
        let sizes = [image.height(), image.width(), map.height(), map.width()];
        if sizes[..2] != sizes[2..] {
            let [left_height, left_width, right_height, right_width] = sizes;
            return Err(SizeMismatch { left_height, left_width, right_height, right_width }.into());
        }
        let channels = image.channels();
        let mut table = Self {
            area: vec![0.0; map.n()],
            frame: vec![0.0; map.n()],
            places: vec![[0.0; 2]; map.n()],
            colors: Vec::new(),
            channels,
            sums: vec![0.0; map.n() * channels],
        };
        table.gather_places(map);
        let scale = match image.samples() {
            Samples::U8(values) => table.gather_samples(map, values, 1.0 / 255.0),
            Samples::U16(values) => table.gather_samples(map, values, 1.0 / 65_535.0),
            Samples::F32(values) => table.gather_samples(map, values, 1.0),
        };
        table.set_colors(image.space(), scale)?;
        Ok(table)
    }

    fn gather_places(&mut self, map: &LabelMap) {
        let (height, width) = (map.height(), map.width());
        for (y, row) in map.labels().chunks_exact(width).enumerate() {
            let mut start = 0;
            for run in row.chunk_by(|a, b| a == b) {
                let end = start + run.len();
                if run[0] != VOID {
                    let region = run[0] as usize;
                    let ends = usize::from(start == 0) + usize::from(end == width && (width > 1));
                    let on_frame = if y == 0 || y + 1 == height { run.len() } else { ends };
                    self.area[region] += run.len() as f64;
                    self.frame[region] += on_frame as f64;
                    self.places[region][0] += (y * run.len()) as f64;
                    self.places[region][1] += ((start + end - 1) * run.len()) as f64 / 2.0;
                }
                start = end;
            }
        }
    }

    /// Adds the samples up and hands their scale back.
    fn gather_samples<T: Copy + Into<f64>>(&mut self, map: &LabelMap, values: &[T], scale: f64) -> f64 {
        let mut start = 0;
        for run in map.labels().chunk_by(|a, b| a == b) {
            let values = &values[start * self.channels..(start + run.len()) * self.channels];
            start += run.len();
            if run[0] == VOID {
                continue;
            }
            let sums = &mut self.sums[run[0] as usize * self.channels..][..self.channels];
            match sums {
                [first, second, third] => add_triples(values, [first, second, third]),
                _ => values.chunks_exact(sums.len()).for_each(|pixel| {
                    sums.iter_mut().zip(pixel).for_each(|(sum, &value)| *sum += value.into());
                }),
            }
        }
        scale
    }

    /// Sums of samples → colors.
    fn set_colors(&mut self, space: ColorSpace, scale: f64) -> Result<(), RegionTableError> {
        let areas = self.area.iter().map(|area| area.max(1.0) / scale);
        let sums = self.sums.chunks_exact(self.channels).zip(areas);
        let means: Vec<f32> = sums.flat_map(|(sums, area)| sums.iter().map(move |s| (s / area) as f32)).collect();
        self.colors = match space {
            ColorSpace::Multiband => means.into_iter().map(|mean| 100.0 * f64::from(mean)).collect(),
            _ if means.is_empty() => Vec::new(),
            _ => {
                let means = Image::new(self.area.len(), 1, space, Samples::F32(means))?;
                let mut lab = vec![0.0; 3 * self.area.len()];
                segcut_pixel::lab_rows(&means, 0..self.area.len(), &mut lab)?;
                self.channels = 3;
                lab.into_iter().map(f64::from).collect()
            }
        };
        self.sums = Vec::new();
        Ok(())
    }

    /// Adds region `from` to region `to`, which has pixels; the color becomes the mean of both by area.
    pub(crate) fn add(&mut self, from: usize, to: usize) {
        let share = self.area[from] / (self.area[from] + self.area[to]);
        self.area[to] += self.area[from];
        self.frame[to] += self.frame[from];
        self.places[to][0] += self.places[from][0];
        self.places[to][1] += self.places[from][1];
        for channel in 0..self.channels {
            let (old, new) = (self.colors[to * self.channels + channel], self.colors[from * self.channels + channel]);
            self.colors[to * self.channels + channel] = old + share * (new - old);
        }
    }

    /// The mean (row, column) of a region that has pixels.
    pub(crate) fn centroid(&self, region: usize) -> [f64; 2] {
        self.places[region].map(|sum| sum / self.area[region])
    }

    /// The color of a region that has pixels: CIE Lab of its mean sRGB or gray value; other bands scaled so that
    /// the largest integer sample, or 1.0, is 100.
    pub(crate) fn color(&self, region: usize) -> &[f64] {
        &self.colors[region * self.channels..][..self.channels]
    }
}

fn add_triples<T: Copy + Into<f64>>(values: &[T], sums: [&mut f64; 3]) {
    let mut run = [0.0; 3];
    for &[a, b, c] in values.as_chunks::<3>().0 {
        run = [run[0] + a.into(), run[1] + b.into(), run[2] + c.into()];
    }
    sums.into_iter().zip(run).for_each(|(sum, run)| *sum += run);
}

/// The Euclidean distance of two colors.
pub(crate) fn color_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_frames_and_places_are_counted_by_hand() {
        let map = LabelMap::new(3, 3, vec![0, 0, VOID, 0, 1, 0, 0, 0, 0]).unwrap();
        let image = Image::new(3, 3, ColorSpace::Multiband, Samples::U8((0..9).collect())).unwrap();
        let table = RegionTable::measure(&image, &map).unwrap();
        assert_eq!((table.area.as_slice(), table.frame.as_slice()), (&[7.0, 1.0][..], &[7.0, 0.0][..]));
        assert_eq!((table.centroid(0), table.centroid(1)), ([8.0 / 7.0, 6.0 / 7.0], [1.0, 1.0]));
        assert!((table.color(1)[0] - 100.0 * 4.0 / 255.0).abs() < 1e-6);
    }

    #[test]
    fn narrow_maps_count_the_frame_once() {
        let map = LabelMap::new(3, 1, vec![0; 3]).unwrap();
        let image = Image::new(3, 1, ColorSpace::Gray, Samples::U16(vec![0; 3])).unwrap();
        assert_eq!(RegionTable::measure(&image, &map).unwrap().frame, [3.0]);
    }

    #[test]
    fn merged_regions_have_the_mean_color() {
        let map = LabelMap::new(1, 3, vec![0, 0, 1]).unwrap();
        let image =
            Image::new(1, 3, ColorSpace::Srgb, Samples::U8(vec![255, 255, 255, 255, 255, 255, 0, 0, 0])).unwrap();
        let mut table = RegionTable::measure(&image, &map).unwrap();
        assert!((table.color(0)[0] - 100.0).abs() < 0.01 && table.color(1)[0].abs() < 0.01);
        table.add(1, 0);
        assert!((table.color(0)[0] - 200.0 / 3.0).abs() < 0.01);
    }

    #[test]
    fn sizes_that_differ_are_an_error() {
        let map = LabelMap::new(1, 3, vec![0; 3]).unwrap();
        let image = Image::new(3, 1, ColorSpace::Gray, Samples::F32(vec![0.0; 3])).unwrap();
        assert!(matches!(RegionTable::measure(&image, &map), Err(RegionTableError::Size(_))));
    }
}
