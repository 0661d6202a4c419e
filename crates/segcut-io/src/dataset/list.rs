//! Text file of paths → data set.

use super::description::check_relative;
use super::walk::stem_of;
use super::{Dataset, DatasetError, Description, Item, check_twins};
use crate::FileError;
use crate::file_error::read_capped;
use std::io::{Error, ErrorKind};
use std::path::Path;

/// A list of a million paths has less.
const MAX_BYTES: u64 = 256 << 20;

pub(super) fn open_list(list: &Path) -> Result<Dataset, DatasetError> {
    let bytes = read_capped(list, MAX_BYTES)?;
    let text = std::str::from_utf8(&bytes).map_err(|e| FileError::new(list, Error::new(ErrorKind::InvalidData, e)))?;
    let root = match list.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut items = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        check_relative(list, line)?;
        let relative = Path::new(line);
        items.push(Item { id: stem_of(relative), image: root.join(relative) });
    }
    if items.is_empty() {
        return Err(DatasetError::Empty { folder: list.to_path_buf() });
    }
    items.sort_by(|a, b| a.image.cmp(&b.image));
    items.dedup();
    check_twins(&items)?;
    let description = Description::find(root)?.map(|(_, description)| description);
    Ok(Dataset { root: root.to_path_buf(), description, items, skipped: Vec::new() })
}
