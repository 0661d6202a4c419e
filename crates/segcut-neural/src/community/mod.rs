//! Graph → communities by a graph network that is trained on that graph.

pub(crate) mod attention;
mod attributes;
mod cluster_count;
mod description;
mod deviation;
pub(crate) mod encoder;
mod error;
mod held_out;
mod joining;
mod learner;
pub(crate) mod links;
mod mincut;
mod model;
mod modularity_moves;
mod objective;
mod params;
mod placement;
mod product;
mod propagation;
mod receptive_field;
mod sampling;
pub(crate) mod state;
mod streams;
#[cfg(test)]
mod tests;
mod training;

pub use error::CommunityError;
pub use model::CommunityModel;
pub use params::{CommunityAssign, CommunityLoss, CommunityParams, CommunityStart, CountBy, EncoderKind};

use attributes::given;
use learner::{Learned, Nodes, notes, sparse};
use segcut_core::{Checkpoint, Clusterer, Clustering, Context, Partition, RegionGraph, StageError, Unkept};

/// RegionGraph → communities by a graph network trained on this graph, with or without attributes of the nodes.
///
/// 1. Attributes are centered, divided by the square root of their standard deviation, and averaged over several
///    receptive fields ([`CommunityParams::hops`]), each kept in its strongest directions with rows of length 1 (Zhang
///    et al. 2019 and Wu et al. 2019 average them; the scale and the rows' length are ours). Without attributes every
///    node has a name of its own, so that a field is a spectral embedding.
/// 2. k-means on the fields, improved by the moves of step 4, is what the network learns first; without attributes,
///    four times as many groups are joined pair by pair as well, and the start of larger modularity is taken.
/// 3. The network is trained with the modularity loss of DMoN (Tsitsulin, Palowitch, Perozzi & Müller, Graph
///    Clustering with Graph Neural Networks, JMLR 2023, eq. 3), the N-cut loss, or kept edges and orthogonality, plus
///    what the communities leave unexplained of the fields.
/// 4. Nodes move between the communities as long as modularity plus agreement with the fields grows.
///
/// DMoN as published: `hops = [0]`, `dims = 256`, `start = "random"`, `reconstruction = 0`, `collapse = 1`, `dropout = 0.5`,
/// `refine_sweeps = 0`; differs in that attributes are reduced to `dims` directions first.
///
/// Without attributes, components of less than a quarter of a community's share of the volume are not read by the
/// network; each goes whole to the community of least volume. A partition in the [`Context`] replaces k-means as the
/// start. Feature blocks of histograms are left out unless named. A diagonal is not read.
///
/// # Errors
/// [`CommunityError`] as [`StageError::Data`]; construction refuses parameters out of range.
///
/// # Determinism
/// The seed draws k-means' starts, the network, dropout, batches and the order of moves. The same bytes at any
/// number of threads.
///
/// # Cost
/// Fields O(n·d·r + m·h·r) for d attributes, r dimensions, h hops; an epoch O(n·r·hidden + m·hidden). Memory
/// O(n·d + m).
///
/// # Examples
/// ```
/// use segcut_core::{Affinity, ClusterCount, Clusterer, Context, RegionGraph, SparseAffinity};
/// use segcut_neural::{Community, CommunityParams};
/// // Two rings of five with all chords, and a bridge.
/// let ring = |first: u32| (0..5).flat_map(move |i| (i + 1..5).map(move |j| [first + i, first + j]));
/// let mut edges: Vec<[u32; 2]> = ring(0).chain(ring(5)).chain([[4, 5]]).collect();
/// edges.sort();
/// let weights = vec![1.0; edges.len()];
/// let graph = RegionGraph::new(Affinity::Sparse(SparseAffinity::new(10, edges, weights)?));
/// let params = CommunityParams { k: ClusterCount::Fixed(2), ..CommunityParams::default() };
/// let labels = Community::new(params)?.cluster(&graph, &Context::default())?.partition;
/// assert!((0..10).all(|i| (labels.labels()[i] == labels.labels()[0]) == (i < 5)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Community {
    params: CommunityParams,
}

impl Community {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`] with the parameter's name.
    pub fn new(params: CommunityParams) -> Result<Self, StageError> {
        params.check()?;
        Ok(Self { params })
    }
}

impl Clusterer for Community {
    fn cluster(&self, graph: &RegionGraph, context: &Context) -> Result<Clustering, StageError> {
        self.cluster_resumed(graph, &mut Unkept, context)
    }

    fn cluster_resumed(
        &self,
        graph: &RegionGraph,
        checkpoint: &mut dyn Checkpoint,
        context: &Context,
    ) -> Result<Clustering, StageError> {
        if graph.n() == 0 {
            return Ok(Clustering::converged(Partition::whole(0)));
        }
        let affinity = sparse(graph).map_err(StageError::data)?;
        let given = given(graph, &self.params.features).map_err(StageError::data)?;
        let learned = self.learn(Nodes { affinity, given }, checkpoint, context)?;
        let Learned { status, losses, labels, embedding, .. } = learned;
        let partition = Partition::compact(&labels);
        let notes = notes(self.params.k, partition.k());
        let embedding = Some(embedding.mapv(f64::from));
        Ok(Clustering { status, losses, notes, embedding, ..Clustering::converged(partition) })
    }
}
