//! The stages of one recipe, run on images.

use crate::grouping::take_points;
use crate::recipe::{take_section, take_sections, take_value};
use crate::training::clusterer;
use crate::{ImageParams, Recipe, RecipeError, Registry};
use segcut_core::{
    Clusterer, Clustering, Context, Evidence, FeatureExtractor, FeatureMap, GraphBuilder, Image, LabelMap,
    Oversegmenter, Refiner, RegionGraph, StageError, Stop,
};
use segcut_pixel::enlarge_labels;
use segcut_refine::{mask_confidence, project};
use std::borrow::Cow;
use std::fmt::{Display, Formatter};
use thiserror::Error;
use toml::de::DeTable;

/// A table of a recipe, as the place of an error or of progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// `[image]`.
    Image,
    /// `[[features]]`.
    Features,
    /// `[superpixels]`.
    Superpixels,
    /// `[graph]`.
    Graph,
    /// `[cluster]`.
    Cluster,
    /// `[[refine]]`.
    Refine,
}

impl Stage {
    /// The table's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Features => "features",
            Self::Superpixels => "superpixels",
            Self::Graph => "graph",
            Self::Cluster => "cluster",
            Self::Refine => "refine",
        }
    }
}

impl Display for Stage {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Why an image was not segmented.
#[derive(Debug, Error)]
#[error("[{stage}] {source}")]
pub struct PipelineError {
    /// Where it happened.
    pub stage: Stage,
    /// What happened.
    pub source: StageError,
}

/// What was computed before clustering: it serves every clusterer and every k.
#[derive(Debug)]
pub struct Prepared<'a> {
    original: &'a Image,
    image: Cow<'a, Image>,
    superpixels: LabelMap,
    graph: RegionGraph,
    attention: Option<FeatureMap<'static>>,
}

impl Prepared<'_> {
    /// The image that was handed in.
    pub fn original(&self) -> &Image {
        self.original
    }

    /// The image that the stages saw: smaller, where the recipe says so.
    pub fn working(&self) -> &Image {
        &self.image
    }

    /// Superpixels, at the working size.
    pub fn superpixels(&self) -> &LabelMap {
        &self.superpixels
    }

    /// Their graph.
    pub fn graph(&self) -> &RegionGraph {
        &self.graph
    }

    /// Their graph alone, to learn from.
    pub fn into_graph(self) -> RegionGraph {
        self.graph
    }
}

/// The regions of one image.
#[derive(Debug)]
pub struct Segmentation {
    /// One region number per pixel of the image, from 0 without gaps.
    pub labels: LabelMap,
    /// The clusters of the superpixels.
    pub clustering: Clustering,
    /// How far a foreground mask can be trusted, 0 to 1 ([`mask_confidence`]); none for other results.
    pub confidence: Option<f64>,
}

/// The stages of one recipe.
pub struct Pipeline {
    seed: u64,
    image: ImageParams,
    oversegmenter: Box<dyn Oversegmenter>,
    extractors: Vec<Box<dyn FeatureExtractor>>,
    graph: Box<dyn GraphBuilder>,
    clusterer: Box<dyn Clusterer>,
    refiners: Vec<Box<dyn Refiner>>,
    resolved: toml::Table,
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline").field("resolved", &self.resolved).finish_non_exhaustive()
    }
}

impl Pipeline {
    /// Builds every stage that the recipe names and checks all parameters.
    ///
    /// # Errors
    /// [`RecipeError`] with the table, the line and the allowed words.
    pub fn from_recipe(recipe: &Recipe, registry: &Registry) -> Result<Self, RecipeError> {
        let mut table = recipe.table()?;
        let seed = take_value(recipe, &mut table, "seed")?.unwrap_or(0);
        let image = take_image(recipe, &mut table)?;
        let superpixels = registry.build_superpixels(take_section(recipe, &mut table, "superpixels")?)?;
        let graph = registry.build_graph(take_section(recipe, &mut table, "graph")?)?;
        let cluster = clusterer(recipe, &mut table, registry)?;
        let (extractors, features) =
            unzip(take_sections(recipe, &mut table, "features")?, |s| registry.build_features(s))?;
        let (refiners, refine) = unzip(take_sections(recipe, &mut table, "refine")?, |s| registry.build_refine(s))?;
        // An image has no points, but a misspelt key of theirs is told.
        take_points(recipe, &mut table)?;

        let mut resolved = head(recipe, &mut table, seed)?;
        resolved.insert("image".into(), toml::Table::try_from(&image).unwrap_or_default().into());
        resolved.insert("superpixels".into(), superpixels.resolved.into());
        resolved.insert("features".into(), features.into());
        resolved.insert("graph".into(), graph.resolved.into());
        resolved.insert("cluster".into(), cluster.resolved.into());
        if let Some(model) = recipe.model_entry()? {
            resolved.insert("model".into(), toml::Table::try_from(&model).unwrap_or_default().into());
        }
        resolved.insert("refine".into(), refine.into());
        Ok(Self {
            seed,
            image,
            oversegmenter: superpixels.stage,
            extractors,
            graph: graph.stage,
            clusterer: cluster.stage,
            refiners,
            resolved,
        })
    }

    /// The same pipeline with one extractor of the caller's own in place of the recipe's.
    #[must_use]
    pub fn with_extractor(mut self, extractor: impl FeatureExtractor + 'static) -> Self {
        self.extractors = vec![Box::new(extractor)];
        self
    }

    /// The same pipeline with a clusterer of the caller's own in place of the recipe's.
    #[must_use]
    pub fn with_clusterer(mut self, clusterer: impl Clusterer + 'static) -> Self {
        self.clusterer = Box::new(clusterer);
        self
    }

    /// The recipe with every default filled in and the version of segcut.
    pub fn resolved(&self) -> &toml::Table {
        &self.resolved
    }

    /// The recipe's seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// What is done to the image first.
    pub fn image_params(&self) -> &ImageParams {
        &self.image
    }

    /// Whether what this pipeline prepares serves the other one too (they differ in clustering or
    /// refinement alone).
    pub fn prepares_like(&self, other: &Self) -> bool {
        ["seed", "image", "superpixels", "features", "graph"]
            .iter()
            .all(|&key| self.resolved.get(key) == other.resolved.get(key))
    }

    /// Image → superpixels and their graph.
    ///
    /// # Errors
    /// [`PipelineError`] with the stage.
    pub fn prepare<'a>(&self, image: &'a Image, context: &Context) -> Result<Prepared<'a>, PipelineError> {
        let original = image;
        let image = run(Stage::Image, context, || self.image.apply(image))?;
        let (maps, attention) = run(Stage::Features, context, || self.extract(&image, context))?;
        let superpixels = run(Stage::Superpixels, context, || self.oversegmenter.oversegment(&image, &maps, context))?;
        let graph = run(Stage::Graph, context, || self.graph.build(&superpixels, &maps, context))?;
        drop(maps);
        Ok(Prepared { original, image, superpixels, graph, attention })
    }

    /// Superpixels and graph → clusters → regions at the size of the image.
    ///
    /// # Errors
    /// [`PipelineError`] with the stage.
    pub fn finish(&self, prepared: &Prepared<'_>, context: &Context) -> Result<Segmentation, PipelineError> {
        let Prepared { image, superpixels, graph, attention, .. } = prepared;
        let clustering = run(Stage::Cluster, context, || self.clusterer.cluster(graph, context))?;
        let mut labels = project(superpixels.clone(), &clustering.partition)
            .map_err(|e| PipelineError { stage: Stage::Refine, source: StageError::data(e) })?;
        let evidence = Evidence { image, superpixels, graph, clustering: &clustering, attention: attention.as_ref() };
        for refiner in &self.refiners {
            labels = run(Stage::Refine, context, || refiner.refine(&evidence, labels, context))?;
        }
        let confidence = mask_confidence(&clustering, superpixels, &labels);
        let (height, width) = (prepared.original.height(), prepared.original.width());
        if (height, width) != (labels.height(), labels.width()) {
            labels = enlarge_labels(&labels, height, width)
                .map_err(|e| PipelineError { stage: Stage::Refine, source: StageError::data(e) })?;
        }
        Ok(Segmentation { labels, clustering, confidence })
    }

    /// Image → regions.
    ///
    /// # Errors
    /// [`PipelineError`] with the stage.
    pub fn segment(&self, image: &Image, context: &Context) -> Result<Segmentation, PipelineError> {
        self.finish(&self.prepare(image, context)?, context)
    }

    fn extract<'i>(&self, image: &'i Image, context: &Context) -> Result<Extracted<'i>, StageError> {
        let mut maps = Vec::new();
        let mut attention = None;
        for extractor in &self.extractors {
            for features in extractor.extract(std::slice::from_ref(image), context)? {
                maps.extend(features.maps);
                if let Some(map) = features.attention {
                    attention = Some(held(&map)?);
                }
            }
        }
        Ok((maps, attention))
    }
}

type Extracted<'i> = (Vec<FeatureMap<'i>>, Option<FeatureMap<'static>>);

/// A copy of a small map that outlives its image.
fn held(map: &FeatureMap<'_>) -> Result<FeatureMap<'static>, StageError> {
    let grid = *map.grid();
    let mut values = vec![0.0; grid.rows * grid.cols * map.dims()];
    map.read_rows(0..grid.rows, &mut values);
    FeatureMap::held(map.name(), grid, map.dims(), values).map_err(StageError::data)
}

fn run<T>(stage: Stage, context: &Context, work: impl FnOnce() -> Result<T, StageError>) -> Result<T, PipelineError> {
    let stop = context.stopped();
    if stop != Stop::No {
        return Err(PipelineError { stage, source: StageError::Stopped(stop) });
    }
    context.report(stage.name(), 0.0);
    let result = work().map_err(|source| PipelineError { stage, source })?;
    context.report(stage.name(), 1.0);
    Ok(result)
}

fn take_image(recipe: &Recipe, table: &mut DeTable<'_>) -> Result<ImageParams, RecipeError> {
    let image: ImageParams = take_value(recipe, table, "image")?.unwrap_or_default();
    match image.check() {
        Ok(()) => Ok(image),
        Err(source) => {
            let (recipe, table) = (recipe.name().to_string(), "image".into());
            Err(RecipeError::Stage { recipe, line: None, table, source })
        }
    }
}

/// The first lines of the resolved recipe: who made it, what it is, its seed.
fn head(recipe: &Recipe, table: &mut DeTable<'_>, seed: u64) -> Result<toml::Table, RecipeError> {
    let mut resolved = toml::Table::new();
    resolved.insert("version".into(), env!("CARGO_PKG_VERSION").into());
    for key in ["title", "source"] {
        if let Some(text) = take_value::<String>(recipe, table, key)? {
            resolved.insert(key.into(), text.into());
        }
    }
    resolved.insert("seed".into(), toml::Value::Integer(i64::try_from(seed).unwrap_or(i64::MAX)));
    Ok(resolved)
}

type Unzipped<T> = (Vec<Box<T>>, Vec<toml::Value>);

fn unzip<S, T: ?Sized>(
    sections: Vec<S>,
    build: impl Fn(S) -> Result<crate::registry::Built<T>, RecipeError>,
) -> Result<Unzipped<T>, RecipeError> {
    let mut stages = Vec::with_capacity(sections.len());
    let mut tables = Vec::with_capacity(sections.len());
    for section in sections {
        let built = build(section)?;
        stages.push(built.stage);
        tables.push(toml::Value::Table(built.resolved));
    }
    Ok((stages, tables))
}
