//! The results of one image → files.

use crate::args::Save;
use crate::exit::Failure;
use crate::image_job::Failed;
use crate::pictures::{borders, overlay};
use crate::scoring::foreground;
use segcut::{Prepared, Segmentation, contour_map, soft_foreground};
use segcut_core::{LabelMap, VOID};
use segcut_io::ScalarField;
use segcut_io::atomic::{self, WriteError};
use segcut_io::labels::{LabelFormat, encode_labels, field_png, label_format, mask_png};
use segcut_io::matrix_market::write_affinity;
use segcut_io::npy::{NpyData, write_npy};
use segcut_io::overlay::{Picture, field_picture};
use std::fmt::Display;
use std::path::{Path, PathBuf};

/// Where and what is written.
#[derive(Debug)]
pub struct Saver<'a> {
    /// The folder.
    pub folder: &'a Path,
    /// First region number on disk.
    pub start_label: u32,
    /// What besides labels and overlay.
    pub what: &'a [Save],
}

/// Why results were not written.
#[derive(Debug)]
pub enum SaveError {
    /// This image has no such result.
    Image(Failed),
    /// The folder takes no more files.
    Output(WriteError),
}

impl From<WriteError> for SaveError {
    fn from(error: WriteError) -> Self {
        Self::Output(error)
    }
}

impl Saver<'_> {
    /// Tries the folder before any image is read.
    pub fn check_writable(&self) -> Result<(), Failure> {
        let probe = self.folder.join(".segcut-tmp-probe");
        atomic::write(&probe, b"").map_err(Failure::output)?;
        std::fs::remove_file(&probe).map_err(|e| Failure::output(format!("{}: {e}", self.folder.display())))
    }

    /// Writes `NAME.labels.png`, `NAME.overlay.png` and what else was asked for; gives the files.
    pub fn save(&self, name: &str, prepared: &Prepared<'_>, done: &Segmentation) -> Result<Vec<PathBuf>, SaveError> {
        let mut files = Vec::new();
        let image = prepared.original();
        files.push(self.labels(name, "labels", &done.labels)?);
        files.push(self.picture(name, "overlay.png", &overlay(image, &done.labels).map_err(encode)?)?);
        for what in self.what {
            match what {
                Save::Superpixels => self.superpixels(name, prepared, &mut files)?,
                Save::Eigenvectors => self.eigenvectors(name, prepared, done, &mut files)?,
                Save::Affinity => self.affinity(name, prepared, &mut files)?,
                Save::Mask => {
                    let png = mask_png(&foreground(&done.labels)).map_err(encode)?;
                    files.push(self.bytes(name, "mask.png", &png)?);
                }
                Save::Soft => self.soft(name, prepared, done, &mut files)?,
                Save::Ucm => self.contours(name, prepared, done, &mut files)?,
            }
        }
        Ok(files)
    }

    fn superpixels(&self, name: &str, prepared: &Prepared<'_>, files: &mut Vec<PathBuf>) -> Result<(), SaveError> {
        files.push(self.labels(name, "superpixels", prepared.superpixels())?);
        let picture = borders(prepared.working(), prepared.superpixels()).map_err(encode)?;
        files.push(self.picture(name, "superpixels.overlay.png", &picture)?);
        Ok(())
    }

    fn eigenvectors(
        &self,
        name: &str,
        prepared: &Prepared<'_>,
        done: &Segmentation,
        files: &mut Vec<PathBuf>,
    ) -> Result<(), SaveError> {
        let Some(vectors) = &done.clustering.embedding else {
            return Err(absent(name, "eigenvectors", "this clusterer computes none"));
        };
        let values: Vec<f64> = vectors.iter().copied().collect();
        let path = self.path(name, "eigenvectors.npy");
        write_npy(&path, &[vectors.nrows(), vectors.ncols()], NpyData::F64(&values))?;
        files.push(path);
        for (index, column) in vectors.columns().into_iter().enumerate() {
            let Some(field) = node_field(prepared.superpixels(), |node| column[node] as f32) else { continue };
            files.push(self.picture(name, &format!("eigenvector{}.png", index + 1), &field_picture(&field, None))?);
        }
        Ok(())
    }

    fn affinity(&self, name: &str, prepared: &Prepared<'_>, files: &mut Vec<PathBuf>) -> Result<(), SaveError> {
        let Some(sparse) = prepared.graph().affinity().sparse() else {
            return Err(absent(name, "affinity", "it is given by factors, not by edges"));
        };
        let path = self.path(name, "affinity.mtx");
        write_affinity(&path, sparse)?;
        files.push(path);
        Ok(())
    }

    /// `NAME.soft.png`: the soft map of a foreground, 16 bits; of other clusterings `NAME.softK.png`, one per cluster.
    fn soft(
        &self,
        name: &str,
        prepared: &Prepared<'_>,
        done: &Segmentation,
        files: &mut Vec<PathBuf>,
    ) -> Result<(), SaveError> {
        if let Some(map) = soft_foreground(prepared, done) {
            let png = soft_png(&done.labels, map).map_err(encode)?;
            files.push(self.bytes(name, "soft.png", &png)?);
            return Ok(());
        }
        let Some(soft) = &done.clustering.soft else {
            return Err(absent(name, "soft assignment", "this clusterer has hard labels only"));
        };
        for (cluster, column) in soft.columns().into_iter().enumerate() {
            let share = |node: usize| column[node].clamp(0.0, 1.0) as f32;
            let Some(field) = node_field(prepared.superpixels(), share) else { continue };
            let png = field_png(&field).map_err(encode)?;
            files.push(self.bytes(name, &format!("soft{cluster}.png"), &png)?);
        }
        Ok(())
    }

    /// `NAME.ucm.png`: (2H+1)×(2W+1) values of 16 bits; 16384 is the height of the recipe's own cut, and without a rule
    /// for that 65535 the largest finite merge height of the image.
    fn contours(
        &self,
        name: &str,
        prepared: &Prepared<'_>,
        done: &Segmentation,
        files: &mut Vec<PathBuf>,
    ) -> Result<(), SaveError> {
        let Some(map) = contour_map(prepared, done) else {
            return Err(absent(name, "ultrametric contour map", "this clusterer makes no hierarchy"));
        };
        let (height, width) = (prepared.original().height(), prepared.original().width());
        let Some(field) = ScalarField::new(2 * height + 1, 2 * width + 1, map) else { return Ok(()) };
        let png = field_png(&field).map_err(encode)?;
        files.push(self.bytes(name, "ucm.png", &png)?);
        Ok(())
    }

    fn labels(&self, name: &str, what: &str, labels: &LabelMap) -> Result<PathBuf, SaveError> {
        let wide = label_format(labels.n(), self.start_label) == LabelFormat::Tiff32;
        let bytes = encode_labels(labels, self.start_label).map_err(encode)?;
        self.bytes(name, &format!("{what}.{}", if wide { "tif" } else { "png" }), &bytes)
    }

    fn picture(&self, name: &str, ending: &str, picture: &Picture) -> Result<PathBuf, SaveError> {
        self.bytes(name, ending, &picture.png().map_err(encode)?)
    }

    fn bytes(&self, name: &str, ending: &str, bytes: &[u8]) -> Result<PathBuf, SaveError> {
        let path = self.path(name, ending);
        atomic::write(&path, bytes)?;
        Ok(path)
    }

    fn path(&self, name: &str, ending: &str) -> PathBuf {
        self.folder.join(format!("{name}.{ending}"))
    }
}

/// A soft map of the size of the labels → 16-bit PNG.
pub fn soft_png(labels: &LabelMap, map: Vec<f32>) -> std::io::Result<Vec<u8>> {
    let field = ScalarField::new(labels.height(), labels.width(), map);
    field_png(&field.ok_or(std::io::ErrorKind::InvalidData)?)
}

/// A value per node, laid over the node's pixels; 0 outside the valid mask.
pub fn node_field(superpixels: &LabelMap, value: impl Fn(usize) -> f32) -> Option<ScalarField> {
    let pixel = |&label: &u32| if label == VOID { 0.0 } else { value(label as usize) };
    let values: Vec<f32> = superpixels.labels().iter().map(pixel).collect();
    ScalarField::new(superpixels.height(), superpixels.width(), values)
}

fn encode(error: impl Display) -> SaveError {
    SaveError::Image(Failed::error("io/encode", &error.to_string()))
}

fn absent(name: &str, what: &str, why: &str) -> SaveError {
    SaveError::Image(Failed::error("save/absent", &format!("{name}: no {what} to save: {why}")))
}
