//! Features of one array file per image.

use segcut_core::{Context, FeatureExtractor, FeatureMap, FeatureMapError, Features, Grid, Image, StageError};
use segcut_io::npy::{NpyError, read_npy};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use thiserror::Error;

/// The order of an array's axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Axes {
    /// Rows × columns × numbers; without the last axis, one number per cell.
    #[default]
    Hwc,
    /// Numbers × rows × columns, as PyTorch has them.
    Chw,
}

/// Parameters of [`NpyFeatures`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NpyParams {
    /// The folder with a file `STEM.npy` for the image `STEM.jpg`.
    pub dir: PathBuf,
    /// The order of the axes: `hwc` (default) or `chw`.
    pub axes: Axes,
    /// The name of the feature map.
    pub name: String,
}

impl Default for NpyParams {
    fn default() -> Self {
        Self { dir: PathBuf::new(), axes: Axes::Hwc, name: "npy".to_string() }
    }
}

/// Why a file holds no features of an image.
#[derive(Debug, Error)]
enum FileFeaturesError {
    /// The array cannot be read.
    #[error(transparent)]
    Npy(#[from] NpyError),
    /// The array has other axes.
    #[error("{file}: the shape {shape:?} is not rows x columns x numbers ({axes:?}) with at least one of each", file = file.display())]
    Shape { file: PathBuf, shape: Vec<usize>, axes: Axes },
    /// A value is not finite.
    #[error("{file}: {source}", file = file.display())]
    Map { file: PathBuf, source: FeatureMapError },
}

/// Image → the map that `DIR/STEM.npy` holds: any grid of cells that covers the image evenly.
///
/// The array's rows and columns need not be the image's: a cell is as high as the image's height over the array's
/// rows, likewise wide, so an array of the image's size has one cell per pixel, and the patches of a network their
/// places.
#[derive(Debug)]
pub struct NpyFeatures {
    params: NpyParams,
}

impl NpyFeatures {
    /// Checks the parameters.
    pub fn new(params: NpyParams) -> Result<Self, StageError> {
        if !params.dir.is_dir() {
            let dir = params.dir.display();
            return Err(StageError::parameter("features.dir", format!("{:?}", dir.to_string()), "a folder"));
        }
        Ok(Self { params })
    }

    fn one<'a>(&self, image: &Image) -> Result<Features<'a>, FileFeaturesError> {
        let file = self.params.dir.join(format!("{}.npy", image.id()));
        let array = read_npy(&file)?;
        let axes = self.params.axes;
        let sides = match (axes, &array.shape[..]) {
            (Axes::Hwc, &[rows, cols]) => [rows, cols, 1],
            (Axes::Hwc, &[rows, cols, dims]) | (Axes::Chw, &[dims, rows, cols]) => [rows, cols, dims],
            _ => [0; 3],
        };
        if sides.contains(&0) {
            return Err(FileFeaturesError::Shape { file, shape: array.shape, axes });
        }
        let [rows, cols, dims] = sides;
        let mut values = array.to_f32();
        if axes == Axes::Chw {
            let plane = rows * cols;
            values = (0..values.len()).map(|at| values[at % dims * plane + at / dims]).collect();
        }
        let step = [image.height() as f64 / rows as f64, image.width() as f64 / cols as f64];
        let grid = Grid { rows, cols, step, origin: step.map(|s| s / 2.0 - 0.5) };
        let map = FeatureMap::held(&self.params.name, grid, dims, values);
        let map = map.map_err(|source| FileFeaturesError::Map { file, source })?;
        Ok(Features { maps: vec![map], attention: None })
    }
}

impl FeatureExtractor for NpyFeatures {
    fn extract<'a>(&self, images: &'a [Image], _: &Context) -> Result<Vec<Features<'a>>, StageError> {
        images.iter().map(|image| self.one(image).map_err(StageError::data)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::{ColorSpace, Samples};
    use segcut_io::npy::{NpyData, write_npy};

    fn extract(axes: Axes, shape: &[usize], values: &[f32]) -> Result<(Grid, Vec<f32>), String> {
        let dir = tempfile::tempdir().unwrap();
        write_npy(&dir.path().join("a.npy"), shape, NpyData::F32(values)).unwrap();
        let params = NpyParams { dir: dir.path().into(), axes, ..NpyParams::default() };
        let image = Image::new(4, 6, ColorSpace::Gray, Samples::U8(vec![0; 24])).unwrap().with_id("a");
        let images = [image];
        let features = NpyFeatures::new(params).unwrap().extract(&images, &Context::default());
        let map = features.map_err(|e| e.to_string())?.remove(0).maps.remove(0);
        Ok((*map.grid(), map.held_values().unwrap().to_vec()))
    }

    #[test]
    fn both_orders_of_axes_give_the_same_map() {
        let (grid, values) = extract(Axes::Hwc, &[1, 2, 3], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        assert_eq!(grid, Grid { rows: 1, cols: 2, step: [4.0, 3.0], origin: [1.5, 1.0] });
        let (turned, same) = extract(Axes::Chw, &[3, 1, 2], &[0.0, 3.0, 1.0, 4.0, 2.0, 5.0]).unwrap();
        assert_eq!((turned, same), (grid, values));
        assert!(extract(Axes::Hwc, &[4, 6], &[0.5; 24]).unwrap().0.is_pixels());
    }

    #[test]
    fn errors_name_the_file() {
        for (shape, values) in [(&[2][..], &[0.0, 1.0][..]), (&[1, 2][..], &[0.0, f32::NAN][..])] {
            assert!(extract(Axes::Hwc, shape, values).unwrap_err().contains("a.npy: "));
        }
        assert!(extract(Axes::Chw, &[1, 2], &[0.0, 1.0]).unwrap_err().contains("Chw"));
        let nowhere = NpyParams { dir: "no/such/folder".into(), ..NpyParams::default() };
        assert!(NpyFeatures::new(nowhere).unwrap_err().to_string().contains("no/such/folder"));
    }
}
