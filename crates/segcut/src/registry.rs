//! Names of stages → stages.

use crate::section::resolved;
use crate::{RecipeError, Section};
use segcut_core::{Clusterer, FeatureExtractor, GraphBuilder, Learner, Model, Oversegmenter, Refiner, StageError};
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
type Loader = Box<dyn Fn(Section<'_>, &[u8]) -> Result<Built<dyn Clusterer>, RecipeError> + Send + Sync>;

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
    learners: Table<dyn Learner>,
    models: BTreeMap<String, Loader>,
    refine: Table<dyn Refiner>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry")
            .field("superpixels", &self.superpixel_kinds())
            .field("features", &self.feature_kinds())
            .field("graph", &self.graph_kinds())
            .field("cluster", &self.cluster_kinds())
            .field("learners", &self.learner_kinds())
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

    /// Makes a learner known, with the loader of its models: `[cluster] kind = …` in `segcut train` and in a model's
    /// recipe. The table is read as `P`; a clusterer of the same kind, which learns from the one graph that it is
    /// given, is registered beside it by [`register_cluster`](Self::register_cluster).
    pub fn register_learner<P, L, M>(
        &mut self,
        kind: &str,
        build: impl Fn(P) -> Result<L, StageError> + Send + Sync + 'static,
        load: impl Fn(P, &[u8]) -> Result<M, StageError> + Send + Sync + 'static,
    ) where
        P: DeserializeOwned + Serialize + 'static,
        L: Learner + 'static,
        M: Model + 'static,
    {
        let builder: Builder<dyn Learner> = Box::new(move |_, section| {
            let params: P = section.params()?;
            let resolved = resolved(&section, &params)?;
            let stage = build(params).map_err(|e| section.refused(e))?;
            Ok(Built { stage: Box::new(stage), resolved })
        });
        let loader: Loader = Box::new(move |section, bytes| {
            let params: P = section.params()?;
            let resolved = resolved(&section, &params)?;
            let model = load(params, bytes).map_err(|e| section.refused(e))?;
            Ok(Built { stage: Box::new(model), resolved })
        });
        self.learners.insert(kind.to_string(), builder);
        self.models.insert(kind.to_string(), loader);
    }

    /// The kinds that can be trained, sorted.
    pub fn learner_kinds(&self) -> Vec<String> {
        self.learners.keys().cloned().collect()
    }

    pub(crate) fn build_learner(&self, section: Section<'_>) -> Result<Built<dyn Learner>, RecipeError> {
        match self.learners.get(section.kind()) {
            Some(builder) => builder(self, section),
            None => Err(section.unknown_kind(self.learner_kinds())),
        }
    }

    /// The clusterer of a recipe: from its model's bytes, where it has one.
    pub(crate) fn build_clusterer(
        &self,
        section: Section<'_>,
        model: Option<&[u8]>,
    ) -> Result<Built<dyn Clusterer>, RecipeError> {
        match (model, self.models.get(section.kind())) {
            (None, _) => self.build_cluster(section),
            (Some(bytes), Some(load)) => load(section, bytes),
            (Some(_), None) => Err(section.unknown_kind(self.learner_kinds())),
        }
    }

    /// Makes a clusterer known that is made from two others, whose tables stand under `keys` of its own.
    pub(crate) fn register_pair<P, C>(
        &mut self,
        kind: &str,
        keys: [&'static str; 2],
        build: impl Fn(P, [Box<dyn Clusterer>; 2]) -> C + Send + Sync + 'static,
    ) where
        P: DeserializeOwned + Serialize + 'static,
        C: Clusterer + 'static,
    {
        let builder: Builder<dyn Clusterer> = Box::new(move |registry, mut section| {
            let [first, second] = [registry.nested(&mut section, keys[0])?, registry.nested(&mut section, keys[1])?];
            let params: P = section.params()?;
            let mut table = resolved(&section, &params)?;
            table.insert(keys[0].into(), first.resolved.into());
            table.insert(keys[1].into(), second.resolved.into());
            Ok(Built { stage: Box::new(build(params, [first.stage, second.stage])), resolved: table })
        });
        self.cluster.insert(kind.to_string(), builder);
    }

    /// The clusterer whose table stands under `key` of another one.
    fn nested(&self, section: &mut Section<'_>, key: &'static str) -> Result<Built<dyn Clusterer>, RecipeError> {
        if let Some(inner) = section.take(key)? {
            return self.build_cluster(inner);
        }
        let must = "a table with a kind, such as kind = \"ncut\"";
        Err(section.refused(StageError::parameter(key, "(absent)", must)))
    }
}
