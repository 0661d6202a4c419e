//! The stages as one-verb traits: object-safe, shared between threads.
//!
//! A stage's parameters are checked when it is built; its verb only meets data.

use crate::{Clustering, Context, FeatureMap, FeatureMaps, Image, LabelMap, Note, RegionGraph, StageError, Status};

/// Cuts an image into small regions.
pub trait Oversegmenter: Send + Sync {
    /// Image (and feature maps, for methods that read them) → regions.
    ///
    /// # Errors
    /// [`StageError`] where the data do not fit.
    fn oversegment(&self, image: &Image, maps: &FeatureMaps<'_>, context: &Context) -> Result<LabelMap, StageError>;
}

/// What an extractor made of one image.
#[derive(Debug, Default)]
pub struct Features<'a> {
    /// Feature maps.
    pub maps: Vec<FeatureMap<'a>>,
    /// One map of attention (d = 1), where the extractor has one.
    pub attention: Option<FeatureMap<'a>>,
}

/// Describes every place of an image by numbers.
pub trait FeatureExtractor: Send + Sync {
    /// Images → features, one entry per image; a slice, so that networks can batch.
    ///
    /// # Errors
    /// [`StageError`] where an image does not fit.
    fn extract<'a>(&self, images: &'a [Image], context: &Context) -> Result<Vec<Features<'a>>, StageError>;
}

/// Turns regions and features into a graph.
pub trait GraphBuilder: Send + Sync {
    /// Regions + feature maps → graph; node i is region i.
    ///
    /// # Errors
    /// [`StageError`] where a feature map does not cover the label map.
    fn build(
        &self,
        superpixels: &LabelMap,
        maps: &FeatureMaps<'_>,
        context: &Context,
    ) -> Result<RegionGraph, StageError>;
}

/// Groups the nodes of a graph.
pub trait Clusterer: Send + Sync {
    /// Graph → clusters.
    ///
    /// # Errors
    /// [`StageError`] where the graph does not fit; not converging is a [`Status`](crate::Status).
    fn cluster(&self, graph: &RegionGraph, context: &Context) -> Result<Clustering, StageError>;

    /// The same with a place for the state of long work: after an interruption the same call goes on from there and
    /// ends as if it had never been stopped. Clusterers without such a state leave the place empty.
    ///
    /// # Errors
    /// Those of [`cluster`](Self::cluster), and the checkpoint's own.
    fn cluster_resumed(
        &self,
        graph: &RegionGraph,
        _: &mut dyn Checkpoint,
        context: &Context,
    ) -> Result<Clustering, StageError> {
        self.cluster(graph, context)
    }

    /// Whether edges are read; a clusterer of features alone takes graphs without any.
    fn needs_edges(&self) -> bool {
        true
    }
}

/// What a refiner may look at besides the labels.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The image.
    pub image: &'a Image,
    /// Its superpixels.
    pub superpixels: &'a LabelMap,
    /// Their graph.
    pub graph: &'a RegionGraph,
    /// Their clusters.
    pub clustering: &'a Clustering,
    /// Attention of the extractor.
    pub attention: Option<&'a FeatureMap<'a>>,
}

/// Improves a segmentation.
pub trait Refiner: Send + Sync {
    /// Labels (and evidence) → labels.
    ///
    /// # Errors
    /// [`StageError`] where the data do not fit.
    fn refine(&self, evidence: &Evidence<'_>, labels: LabelMap, context: &Context) -> Result<LabelMap, StageError>;
}

/// Hands out graphs, one after the other, as often as a learner asks.
pub trait GraphSource {
    /// How many graphs there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The graph of this index.
    ///
    /// # Errors
    /// [`StageError`] where it cannot be made.
    fn graph(&mut self, index: usize) -> Result<RegionGraph, StageError>;
}

/// Graphs in memory.
///
/// # Panics
/// An index that is not below the length.
impl<T: AsRef<[RegionGraph]>> GraphSource for T {
    fn len(&self) -> usize {
        self.as_ref().len()
    }

    fn graph(&mut self, index: usize) -> Result<RegionGraph, StageError> {
        Ok(self.as_ref()[index].clone())
    }
}

/// A clusterer that was learned and can be stored.
pub trait Model: Clusterer {
    /// Writes the model's arrays.
    ///
    /// # Errors
    /// The writer's own.
    fn save(&self, out: &mut dyn std::io::Write) -> std::io::Result<()>;
}

/// Where the state of unfinished training lies, so that it goes on after an interruption.
pub trait Checkpoint {
    /// The state that was kept last; none where training begins.
    fn kept(&mut self) -> Option<Vec<u8>>;

    /// Keeps a state in place of the last one.
    ///
    /// # Errors
    /// [`StageError`] where it cannot be kept.
    fn keep(&mut self, state: &[u8]) -> Result<(), StageError>;
}

/// Keeps nothing: training that is interrupted begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unkept;

impl Checkpoint for Unkept {
    fn kept(&mut self) -> Option<Vec<u8>> {
        None
    }

    fn keep(&mut self, _: &[u8]) -> Result<(), StageError> {
        Ok(())
    }
}

/// A model and how its training went.
pub struct Fitted {
    /// The model.
    pub model: Box<dyn Model>,
    /// How training ended.
    pub status: Status,
    /// What a user should know.
    pub notes: Vec<Note>,
    /// The training loss of every epoch.
    pub losses: Vec<f64>,
}

impl std::fmt::Debug for Fitted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { status, notes, losses, .. } = self;
        let mut shown = f.debug_struct("Fitted");
        shown.field("status", status).field("notes", notes).field("losses", losses).finish_non_exhaustive()
    }
}

/// Learns a clusterer from many graphs.
pub trait Learner: Send + Sync {
    /// Graphs → model. Training that is stopped keeps its state in the checkpoint; called again with it, it goes on.
    ///
    /// # Errors
    /// [`StageError`] where the graphs do not fit; [`StageError::Stopped`] where the caller stopped it.
    fn fit(
        &self,
        graphs: &mut dyn GraphSource,
        checkpoint: &mut dyn Checkpoint,
        context: &Context,
    ) -> Result<Fitted, StageError>;

    /// Whether edges are read; a learner from features alone takes graphs without any.
    fn needs_edges(&self) -> bool {
        true
    }
}
