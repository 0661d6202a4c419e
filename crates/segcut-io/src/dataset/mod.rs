//! Folder → data set: its images in order, with names that pair them with truth and results.

mod description;
mod list;
mod pair;
mod walk;

pub use description::{Description, Task};
pub use pair::{PairError, pair_ids};
pub use walk::{Skipped, WhySkipped};

pub(crate) use walk::{FoundFile, Walk, walk};

use crate::{FileError, shown};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// The file beside the data that says where images and truth are.
pub const DESCRIPTION_FILE: &str = "dataset.toml";

/// Extensions of images, in lower case.
pub const IMAGE_EXTENSIONS: [&str; 14] =
    ["jpg", "jpeg", "jpe", "jfif", "png", "apng", "webp", "bmp", "gif", "tif", "tiff", "ppm", "pgm", "pbm"];

/// Folders that hold truth where no `dataset.toml` says so, in the order of preference.
pub const TRUTH_FOLDERS: [&str; 8] =
    ["groundTruth", "masks", "labels", "segments", "annotations", "gt", "truth", "mask"];

/// One image of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The path under the image folder without extension, with `/` between its parts, for example `val/101085`.
    /// Bytes that are no UTF-8 are percent-encoded.
    pub id: String,
    /// Where the image is.
    pub image: PathBuf,
}

/// The images of a folder.
///
/// *Guarantees*: ids are unique, also where upper and lower case are the same; items are sorted by path.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// The folder that was opened (of a list: its folder).
    pub root: PathBuf,
    /// What `dataset.toml` says, here or up to four folders above.
    pub description: Option<Description>,
    /// The images.
    pub items: Vec<Item>,
    /// What was left out, with the reason.
    pub skipped: Vec<Skipped>,
}

/// Why a folder makes no data set.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// A file or folder cannot be read.
    #[error(transparent)]
    Read(#[from] FileError),
    /// The description is no TOML, or lacks or misuses a key.
    #[error("{}: {source}", shown(.file))]
    Description {
        /// The description.
        file: PathBuf,
        /// What the parser says.
        source: Box<toml::de::Error>,
    },
    /// A path that leaves the folder.
    #[error("{}: the path {path:?} is refused: it must be relative and must not contain '..'", shown(.file))]
    PathEscapes {
        /// The description or list that holds it.
        file: PathBuf,
        /// The path.
        path: String,
    },
    /// Images that would have the same name.
    #[error("images of one name: {}", twin_text(.groups))]
    Twins {
        /// The images, group by group.
        groups: Vec<Vec<PathBuf>>,
    },
    /// There is no image.
    #[error("{} holds no image", shown(.folder))]
    Empty {
        /// The folder.
        folder: PathBuf,
    },
}

fn twin_text(groups: &[Vec<PathBuf>]) -> String {
    let group = |files: &Vec<PathBuf>| files.iter().map(|f| shown(f).to_string()).collect::<Vec<_>>().join(" and ");
    groups.iter().map(group).collect::<Vec<_>>().join("; ")
}

impl Dataset {
    /// Finds the images of a folder, or of a text file that lists them.
    ///
    /// With a `dataset.toml` in the folder, images are those under its `image_dir`. Without, and where the folder
    /// has a folder `images` beside one of [`TRUTH_FOLDERS`], those under `images`; otherwise all under the folder.
    /// Hidden files, folders of earlier runs and the folders `exclude` are left out; linked folders are not
    /// entered, linked files are. A list has one path per line, relative to its folder; empty lines and lines
    /// that begin with `#` are left out.
    ///
    /// # Errors
    /// [`DatasetError`]; two images of one name are refused before any work.
    ///
    /// ```
    /// use segcut_io::dataset::Dataset;
    /// let dir = tempfile::tempdir()?;
    /// std::fs::create_dir(dir.path().join("val"))?;
    /// std::fs::write(dir.path().join("val/7.jpg"), "")?;
    /// let data = Dataset::open(dir.path(), &[])?;
    /// assert_eq!(data.items[0].id, "val/7");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(path: &Path, exclude: &[PathBuf]) -> Result<Self, DatasetError> {
        let meta = std::fs::metadata(path).map_err(|e| FileError::new(path, e))?;
        if !meta.is_dir() {
            return list::open_list(path);
        }
        let found = Description::find(path)?;
        let beside = found.as_ref().filter(|(root, _)| same_folder(root, path));
        let images = match beside {
            Some((_, description)) => path.join(&description.image_dir),
            None if has_images_beside_truth(path) => path.join("images"),
            None => path.to_path_buf(),
        };
        let is_image = |extension: &str| IMAGE_EXTENSIONS.contains(&extension);
        let Walk { files, skipped } = walk(&images, &is_image, exclude)?;
        let items: Vec<Item> = files.into_iter().map(|f| Item { id: f.stem, image: f.path }).collect();
        if items.is_empty() {
            return Err(DatasetError::Empty { folder: images });
        }
        check_twins(&items)?;
        let description = found.map(|(_, description)| description);
        Ok(Self { root: path.to_path_buf(), description, items, skipped })
    }
}

fn has_images_beside_truth(folder: &Path) -> bool {
    folder.join("images").is_dir() && TRUTH_FOLDERS.iter().any(|name| folder.join(name).is_dir())
}

pub(crate) fn same_folder(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => a == b,
    }
}

fn check_twins(items: &[Item]) -> Result<(), DatasetError> {
    let mut names: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for item in items {
        names.entry(item.id.to_lowercase()).or_default().push(item.image.clone());
    }
    let groups: Vec<_> = names.into_values().filter(|files| files.len() > 1).collect();
    if groups.is_empty() { Ok(()) } else { Err(DatasetError::Twins { groups }) }
}
