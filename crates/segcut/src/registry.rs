//! Names of stages → stages.

use crate::section::resolved;
use crate::{RecipeError, Section};
use segcut_core::{Clusterer, FeatureExtractor, GraphBuilder, Oversegmenter, Refiner, StageError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// A stage and its parameters with the defaults filled in.
pub(crate) struct Built<T: ?Sized> {
    pub(crate) stage: Box<T>,
    pub(crate) resolved: toml::Table,
}

type Builder<T> = Box<dyn Fn(&Registry, Section<'_>) -> Result<Built<T>, RecipeError> + Send + Sync>;
type Table<T> = BTreeMap<String, Builder<T>>;

/// The kinds that a recipe may name, per table.
///
/// [`Registry::standard`] knows the stages of segcut; add your own with the `register_*` methods.
///
/// # Examples
/// ```
/// let registry = segcut::Registry::standard();
/// assert!(registry.superpixel_kinds().contains(&"slic".to_string()));
/// ```
#[derive(Default)]
pub struct Registry {
    superpixels: Table<dyn Oversegmenter>,
    features: Table<dyn FeatureExtractor>,
    graph: Table<dyn GraphBuilder>,
    cluster: Table<dyn Clusterer>,
    refine: Table<dyn Refiner>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry")
            .field("superpixels", &self.superpixel_kinds())
            .field("features", &self.feature_kinds())
            .field("graph", &self.graph_kinds())
            .field("cluster", &self.cluster_kinds())
            .field("refine", &self.refine_kinds())
            .finish()
    }
}

/// Writes the registering, listing and building methods of one table of a recipe.
macro_rules! table {
    ($field:ident, $stage:ident, $register:ident, $kinds:ident, $build:ident, $table:literal) => {
        #[doc = concat!("Makes `[", $table, "] kind = …` known: the table is read as `P`, then handed to `build`.")]
        pub fn $register<P, S, F>(&mut self, kind: &str, build: F)
        where
            P: DeserializeOwned + Serialize + 'static,
            S: $stage + 'static,
            F: Fn(P) -> Result<S, StageError> + Send + Sync + 'static,
        {
            let builder: Builder<dyn $stage> = Box::new(move |_, section| {
                let params: P = section.params()?;
                let resolved = resolved(&section, &params)?;
                let stage = build(params).map_err(|e| section.refused(e))?;
                Ok(Built { stage: Box::new(stage), resolved })
            });
            self.$field.insert(kind.to_string(), builder);
        }

        #[doc = concat!("The kinds known in `[", $table, "]`, sorted.")]
        pub fn $kinds(&self) -> Vec<String> {
            self.$field.keys().cloned().collect()
        }

        pub(crate) fn $build(&self, section: Section<'_>) -> Result<Built<dyn $stage>, RecipeError> {
            match self.$field.get(section.kind()) {
                Some(builder) => builder(self, section),
                None => Err(section.unknown_kind(self.$kinds())),
            }
        }
    };
}

impl Registry {
    /// A registry that knows nothing.
    pub fn new() -> Self {
        Self::default()
    }

    table!(superpixels, Oversegmenter, register_superpixels, superpixel_kinds, build_superpixels, "superpixels");
    table!(features, FeatureExtractor, register_features, feature_kinds, build_features, "features");
    table!(graph, GraphBuilder, register_graph, graph_kinds, build_graph, "graph");
    table!(cluster, Clusterer, register_cluster, cluster_kinds, build_cluster, "cluster");
    table!(refine, Refiner, register_refine, refine_kinds, build_refine, "refine");

    /// As [`register_features`](Self::register_features), with settings that building fills in, such as the digest of
    /// a file: they stand in the resolved recipe.
    pub fn register_resolved_features<P, S, F>(&mut self, kind: &str, build: F)
    where
        P: DeserializeOwned + Serialize + 'static,
        S: FeatureExtractor + 'static,
        F: Fn(P) -> Result<(S, P), StageError> + Send + Sync + 'static,
    {
        let builder: Builder<dyn FeatureExtractor> = Box::new(move |_, section| {
            let (stage, params) = build(section.params()?).map_err(|e| section.refused(e))?;
            Ok(Built { stage: Box::new(stage), resolved: resolved(&section, &params)? })
        });
        self.features.insert(kind.to_string(), builder);
    }

    /// A clusterer that is made from other clusterers, which its builder takes from the registry.
    pub(crate) fn register_nested_cluster<F>(&mut self, kind: &str, build: F)
    where
        F: Fn(&Registry, Section<'_>) -> Result<Built<dyn Clusterer>, RecipeError> + Send + Sync + 'static,
    {
        self.cluster.insert(kind.to_string(), Box::new(build));
    }
}
