//! The recipes that are built in: the files of `pipelines/`.

use crate::{Recipe, RecipeError};

/// A recipe of `pipelines/`.
#[derive(Debug, Clone, Copy)]
pub struct CatalogEntry {
    /// The file stem.
    pub name: &'static str,
    /// The file's text.
    pub text: &'static str,
}

macro_rules! entry {
    ($name:literal) => {
        CatalogEntry { name: $name, text: include_str!(concat!("../../../pipelines/", $name, ".toml")) }
    };
}

/// Every built-in recipe; the first is the default.
pub fn catalog() -> &'static [CatalogEntry] {
    const ENTRIES: &[CatalogEntry] = &[
        entry!("ncut-slic-color"),
        entry!("ncut-slic-skimage"),
        entry!("ucm"),
        entry!("ucm-fast"),
        entry!("merge-slic-color"),
        entry!("ncut-pixels"),
        entry!("pspectral-slic-color"),
        entry!("two-step"),
        entry!("foreground"),
        entry!("foreground-fast"),
        entry!("robust-background"),
        entry!("multicut-slic-color"),
        entry!("deepcut-ncut"),
        entry!("deepcut-cc"),
        entry!("deepcut-slic"),
        entry!("deepcut-pixels"),
        entry!("deepcut-superpixels"),
        entry!("deepcut-two-step"),
        entry!("superpixels"),
        entry!("superpixels-etps"),
        entry!("coins"),
        entry!("onespectral-slic-color"),
        entry!("tokencut"),
        entry!("deep-spectral"),
        entry!("ncut-dino-superpixels"),
        entry!("spectralnet-slic"),
        entry!("deepcut-ncut-dino"),
        entry!("deepcut-cc-dino"),
        entry!("deepcut-two-step-dino"),
        entry!("deepcut-cosegment"),
    ];
    ENTRIES
}

/// The built-in recipe of this name.
///
/// # Errors
/// [`RecipeError::Unknown`] with the names that there are.
pub fn recipe_named(name: &str) -> Result<Recipe, RecipeError> {
    match catalog().iter().find(|entry| entry.name == name) {
        Some(entry) => Recipe::parse(entry.name, entry.text),
        None => Err(RecipeError::Unknown {
            name: name.to_string(),
            known: catalog().iter().map(|entry| entry.name.to_string()).collect(),
        }),
    }
}
