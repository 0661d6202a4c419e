//! Extractors that read or write files: named weights, stored features, arrays.

mod cache;
mod npy;

use crate::exit::Failure;
use crate::weights::{opened, weights_path};
use cache::CachedVit;
use npy::NpyFeatures;
use segcut::{Registry, Vit, VitParams};
use segcut_core::{Context, FeatureExtractor, Features, Image, StageError};
use std::path::{Path, PathBuf};

/// Every stage, without opening weights: to check and to show recipes.
pub fn describing() -> Registry {
    let mut registry = Registry::without_weights();
    registry.register_features("npy", NpyFeatures::new);
    registry
}

/// Every stage; weights may be named instead of given as a path, and their features are kept in `cache`.
pub fn registry(cache: Option<&Path>) -> Result<Registry, Failure> {
    let folder = cache.map(Path::to_path_buf);
    if let Some(folder) = &folder {
        std::fs::create_dir_all(folder).map_err(|e| Failure::output(format!("{}: {e}", folder.display())))?;
    }
    let mut registry = describing();
    registry.register_resolved_features("vit", move |params: VitParams| {
        let path = weights_path(&params.weights).map_err(StageError::data)?;
        let weights = opened(&path).map_err(StageError::data)?;
        let vit = Vit::from_weights(&weights, params)?;
        let resolved = vit.params().clone();
        Ok((StoredOrNot::new(vit, folder.clone()), resolved))
    });
    Ok(registry)
}

/// A network, with or without a folder for its features.
enum StoredOrNot {
    Plain(Vit),
    Cached(CachedVit),
}

impl StoredOrNot {
    fn new(vit: Vit, folder: Option<PathBuf>) -> Self {
        match folder {
            Some(folder) => Self::Cached(CachedVit::new(vit, folder)),
            None => Self::Plain(vit),
        }
    }
}

impl FeatureExtractor for StoredOrNot {
    fn extract<'a>(&self, images: &'a [Image], context: &Context) -> Result<Vec<Features<'a>>, StageError> {
        match self {
            Self::Plain(vit) => vit.extract(images, context),
            Self::Cached(cached) => cached.extract(images, context),
        }
    }
}
