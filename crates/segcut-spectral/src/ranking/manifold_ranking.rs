//! Region graph → foreground and background by manifold ranking against the frame.

use super::error::{RankingError, frame_of};
use super::memberships::{clustering, stretched};
use super::propagator::Propagator;
use segcut_core::{Clusterer, Clustering, Context, FeatureBlock, Geometry, RegionGraph, StageError};
use serde::{Deserialize, Serialize};

/// Parameters of [`ManifoldRanking`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ManifoldRankingParams {
    /// How far a query spreads, below 1.
    pub alpha: f64,
    /// Standard deviations, down and across, of the Gaussian by which regions near the centre count more as foreground
    /// queries, in sides of the image; 0 for none.
    pub center: [f64; 2],
    /// Powers of what the top, bottom, left and right side does not reach; 0 leaves a side out.
    pub sides: [f64; 4],
    /// Power of what no side reaches, as the foreground query.
    pub query: f64,
    /// Regions that reach this are foreground; without it the level that splits them best by area (Otsu 1979).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<f64>,
}

impl Default for ManifoldRankingParams {
    fn default() -> Self {
        Self { alpha: 0.995, center: [0.3; 2], sides: [1.0; 4], query: 1.0, level: None }
    }
}

/// Region graph → cluster 1 (foreground) and 0 (background), with soft memberships.
///
/// After C. Yang et al., "Saliency detection via graph-based manifold ranking", CVPR 2013: the regions at each side of the
/// frame are a query; what none of the four reaches is the query of the second stage, whose spread is the
/// foreground (section 4.2). It differs in that the second query is soft and weighted towards the centre, in the powers
/// (`sides`, `query`), in that the result f becomes f/(f + its mean by area) before it is stretched to 0 … 1, and in the
/// graph ([`RankingGraph`](segcut_graph::RankingGraph)).
///
/// The clustering's soft memberships are (1 − x, x). A graph whose regions all have one color has no foreground; neither
/// has one with fewer than two regions.
///
/// # Determinism
/// No randomness; one thread.
///
/// # Cost
/// O(n³) / 3 for n regions, and 2·n² values.
#[derive(Debug, Clone)]
pub struct ManifoldRanking {
    params: ManifoldRankingParams,
}

impl ManifoldRanking {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`].
    pub fn new(params: ManifoldRankingParams) -> Result<Self, StageError> {
        if !(0.0..1.0).contains(&params.alpha) {
            return Err(StageError::parameter("cluster.alpha", params.alpha, "from 0 to below 1"));
        }
        let lists = [
            ("cluster.center", &params.center[..]),
            ("cluster.sides", &params.sides),
            ("cluster.query", &[params.query]),
        ];
        let refused = |value: &f64| !(*value >= 0.0 && value.is_finite());
        if let Some((name, value)) =
            lists.iter().find_map(|(name, values)| Some((*name, *values.iter().find(|v| refused(v))?)))
        {
            return Err(StageError::parameter(name, value, "finite and at least 0"));
        }
        match params.level {
            Some(level) if !(0.0..=1.0).contains(&level) => {
                Err(StageError::parameter("cluster.level", level, "from 0 to 1"))
            }
            _ => Ok(Self { params }),
        }
    }

    /// x of every region, 0 to 1.
    fn rank(&self, graph: &RegionGraph) -> Result<Vec<f64>, RankingError> {
        let (geometry, sides) = frame_of(graph)?;
        if is_plain(graph) {
            return Ok(vec![0.0; graph.n()]);
        }
        let propagator = Propagator::new(graph.affinity(), self.params.alpha).ok_or(RankingError::Weights)?;
        let mut query = unreached(&propagator, sides, self.params.sides);
        let nodes = query.iter_mut().zip(&geometry.centroid);
        nodes.for_each(|(q, &at)| *q = q.powf(self.params.query) * self.closeness(at, geometry.image_size));
        let spread = propagator.spread(&query);
        Ok(stretched(against_mean(spread, geometry)))
    }

    /// exp(−Σ distance² / 2σ²) to the centre, positions in 0 … 1.
    fn closeness(&self, centroid: [f64; 2], size: [usize; 2]) -> f64 {
        let term = |axis: usize| match self.params.center[axis] {
            0.0 => 0.0,
            sigma => (((centroid[axis] + 0.5) / size[axis] as f64 - 0.5) / sigma).powi(2),
        };
        (-0.5 * (term(0) + term(1))).exp()
    }
}

impl Clusterer for ManifoldRanking {
    /// # Errors
    /// [`RankingError`] inside a [`StageError::Data`].
    fn cluster(&self, graph: &RegionGraph, _: &Context) -> Result<Clustering, StageError> {
        let rank = self.rank(graph).map_err(StageError::data)?;
        let sizes = graph.geometry().map_or(&[][..], |geometry| &geometry.size);
        clustering(&rank, sizes, self.params.level)
    }
}

/// Whether no two regions differ in color.
fn is_plain(graph: &RegionGraph) -> bool {
    graph.edge_columns().feature_distance.as_ref().is_some_and(|d| d.iter().all(|&d| d == 0.0))
}

/// What the four sides' queries do not reach, 0 to 1 (Yang et al. 2013, eq. 4 to 6, with powers).
fn unreached(propagator: &Propagator, sides: &FeatureBlock, powers: [f64; 4]) -> Vec<f64> {
    let n = sides.values.len() / 4;
    let mut rest = vec![1.0; n];
    for (side, power) in powers.into_iter().enumerate() {
        let query: Vec<f64> = (0..n).map(|node| f64::from(sides.row(node)[side])).collect();
        let reached = stretched(propagator.spread(&query));
        rest.iter_mut().zip(reached).for_each(|(rest, reached)| *rest *= (1.0 - reached).powf(power));
    }
    stretched(rest)
}

/// f / (f + mean of f by area).
fn against_mean(mut spread: Vec<f64>, geometry: &Geometry) -> Vec<f64> {
    let weighted: f64 = spread.iter().zip(&geometry.size).map(|(f, size)| f * size).sum();
    let mean = weighted / geometry.size.iter().sum::<f64>().max(1.0);
    spread.iter_mut().for_each(|f| *f /= (*f + mean).max(f64::MIN_POSITIVE));
    spread
}

#[cfg(test)]
mod tests;
