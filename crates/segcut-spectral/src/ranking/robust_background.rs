//! Region graph → foreground and background by boundary connectivity and one least-squares problem.

use super::error::{RankingError, frame_of};
use super::memberships::{clustering, otsu_level, stretched};
use faer::linalg::solvers::Solve;
use faer::{Mat, Side};
use ndarray::Array2;
use segcut_core::{Clusterer, Clustering, Context, FeatureBlock, RegionGraph, StageError};
use serde::{Deserialize, Serialize};

/// Regions this strongly connected to the frame are background without doubt, and by how much.
const SURE: f64 = 3.0;
const SURE_WEIGHT: f64 = 1000.0;

/// Beyond this many σ a Gaussian is 0.
const REACH: f64 = 3.0;

/// The smallest σ of a color distance: where neighbours have the same color, their distance is no scale.
const FINEST: f64 = 1e-3;

/// Parameters of [`RobustBackground`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RobustBackgroundParams {
    /// σ of the boundary connectivity (eq. 6).
    pub sigma_boundary: f64,
    /// σ of the distance in space, positions relative to height and width (eq. 2).
    pub sigma_space: f64,
    /// Weight of the background term.
    pub background: f64,
    /// Added to the smoothness weight of regions that touch (eq. 10).
    pub smoothness: f64,
    /// Regions that reach this are foreground; `None` for Otsu's level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<f64>,
}

impl Default for RobustBackgroundParams {
    fn default() -> Self {
        Self { sigma_boundary: 1.0, sigma_space: 0.4, background: 5.0, smoothness: 0.1, level: Some(0.16) }
    }
}

/// Region graph with mean colors → cluster 1 (foreground) and 0 (background), with soft memberships.
///
/// W. Zhu, S. Liang, Y. Wei, J. Sun, "Saliency optimization from robust background detection", CVPR 2014, with what only
/// the authors' program says: the three scales of color distance are taken from the image. With m₁ and m₂ the mean over
/// regions of the smallest distance to a neighbour, and to a neighbour or a neighbour's neighbour, and e the mean of the largest
/// hundredth of the distances between neighbours, paths are shortened by m₂ a step, σ of the paths is
/// min(10, 3·m₁, e/10) and at least 5, σ of the smoothness min(3·m₁, e/5, 20); a region with
/// boundary connectivity above 3 has background weight 1000; the foreground weight is 0 below its Otsu
/// level.
///
/// Needs the edges and the sides of [`RankingGraph`](segcut_graph::RankingGraph); its weights are not read. Colors are all
/// blocks of means.
///
/// # Determinism
/// No randomness; one thread.
///
/// # Cost
/// O(n³) for n regions.
#[derive(Debug, Clone)]
pub struct RobustBackground {
    params: RobustBackgroundParams,
}

impl RobustBackground {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`].
    pub fn new(params: RobustBackgroundParams) -> Result<Self, StageError> {
        let positive = [
            ("cluster.sigma_boundary", params.sigma_boundary),
            ("cluster.sigma_space", params.sigma_space),
            ("cluster.background", params.background),
            ("cluster.smoothness", params.smoothness),
        ];
        if let Some((name, value)) = positive.into_iter().find(|(_, v)| !(v.is_finite() && *v > 0.0)) {
            return Err(StageError::parameter(name, value, "finite and above 0"));
        }
        match params.level {
            Some(level) if !(0.0..=1.0).contains(&level) => {
                Err(StageError::parameter("cluster.level", level, "from 0 to 1"))
            }
            _ => Ok(Self { params }),
        }
    }

    fn memberships(&self, graph: &RegionGraph) -> Result<Vec<f64>, RankingError> {
        let (geometry, sides) = frame_of(graph)?;
        let regions = Regions::new(graph, sides)?;
        let n = graph.n();
        if regions.color.iter().all(|&d| d == 0.0) {
            return Ok(vec![0.0; n]);
        }
        let scales = Scales::of(&regions);
        let connectivity = boundary_connectivity(&regions, &scales);
        let background: Vec<f64> =
            connectivity.iter().map(|&c| 1.0 - gaussian(c, self.params.sigma_boundary)).collect(); // eq. 6
        let size = geometry.image_size.map(|side| side as f64);
        let near = |i: usize, j: usize| {
            let [a, b] = [geometry.centroid[i], geometry.centroid[j]];
            let far = ((a[0] - b[0]) / size[0]).hypot((a[1] - b[1]) / size[1]);
            within_reach(far, self.params.sigma_space)
        };
        let contrast = |i: usize| (0..n).map(|j| regions.color[(i, j)] * near(i, j) * background[j]).sum(); // eq. 7
        let contrast = stretched((0..n).map(contrast).collect());
        let level = otsu_level(&contrast, &vec![1.0; n]);
        let foreground: Vec<f64> = contrast.into_iter().map(|c| if c < level { 0.0 } else { c }).collect();
        let against = background.iter().zip(&connectivity);
        let background: Vec<f64> = against.map(|(&b, &c)| if c > SURE { SURE_WEIGHT } else { b }).collect();
        Ok(self.optimum(&regions, scales.smoothness, [&background, &foreground]))
    }

    /// The minimum of Σ w_bg·s² + Σ w_fg·(s − 1)² + Σ w_ij·(s_i − s_j)² (eq. 9); 0 where nothing is foreground.
    fn optimum(&self, regions: &Regions, sigma: f64, [background, foreground]: [&[f64]; 2]) -> Vec<f64> {
        let n = background.len();
        let mut matrix = Mat::<f64>::zeros(n, n);
        for &([u, v], kind) in &regions.pairs {
            let touching = if kind == Pair::Touching { self.params.smoothness } else { 0.0 };
            let weight = within_reach(regions.color[(u, v)], sigma) + touching; // eq. 10
            matrix[(v, u)] = -weight;
            matrix[(u, u)] += weight;
            matrix[(v, v)] += weight;
        }
        for i in 0..n {
            matrix[(i, i)] += self.params.background * background[i] + foreground[i] + f64::MIN_POSITIVE;
        }
        let right = Mat::from_fn(n, 1, |i, _| foreground[i]);
        match matrix.llt(Side::Lower) {
            Ok(factor) => {
                let solved = factor.solve(&right);
                stretched((0..n).map(|i| solved[(i, 0)]).collect())
            }
            Err(_) => vec![0.0; n],
        }
    }
}

impl Clusterer for RobustBackground {
    /// # Errors
    /// [`RankingError`] inside a [`StageError::Data`].
    fn cluster(&self, graph: &RegionGraph, _: &Context) -> Result<Clustering, StageError> {
        let memberships = self.memberships(graph).map_err(StageError::data)?;
        let sizes = graph.geometry().map_or(&[][..], |geometry| &geometry.size);
        clustering(&memberships, sizes, self.params.level)
    }
}

/// How two regions of the graph are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pair {
    Touching,
    /// Both lie at the frame.
    Frame,
    /// They share a neighbour.
    Far,
}

struct Regions {
    /// Color distances of all pairs.
    color: Array2<f64>,
    pairs: Vec<([usize; 2], Pair)>,
    at_frame: Vec<bool>,
}

impl Regions {
    fn new(graph: &RegionGraph, sides: &FeatureBlock) -> Result<Self, RankingError> {
        let sparse = graph.affinity().sparse().ok_or(RankingError::Weights)?;
        let lengths = graph.edge_columns().border_length.as_deref().ok_or(RankingError::NoSides)?;
        let n = graph.n();
        let at_frame: Vec<bool> = (0..n).map(|node| sides.row(node).contains(&1.0)).collect();
        let kind = |[u, v]: [usize; 2], length: f32| match length > 0.0 {
            true => Pair::Touching,
            false if at_frame[u] && at_frame[v] => Pair::Frame,
            false => Pair::Far,
        };
        let ends = sparse.edges().iter().map(|edge| edge.map(|node| node as usize));
        let pairs = ends.zip(lengths).map(|(edge, &length)| (edge, kind(edge, length))).collect();
        let means: Vec<&FeatureBlock> =
            graph.features().iter().filter(|block| block.bins.is_empty() && block.name != sides.name).collect();
        let distance = |(i, j)| means.iter().map(|block| squared(block, i, j)).sum::<f64>().sqrt();
        Ok(Self { color: Array2::from_shape_fn((n, n), distance), pairs, at_frame })
    }
}

fn squared(block: &FeatureBlock, i: usize, j: usize) -> f64 {
    block.row(i).iter().zip(block.row(j)).map(|(a, b)| f64::from(a - b).powi(2)).sum()
}

/// The image's own scales of color distance.
struct Scales {
    /// Taken off every step of a path.
    step: f64,
    path: f64,
    smoothness: f64,
}

impl Scales {
    fn of(regions: &Regions) -> Self {
        let n = regions.at_frame.len();
        let mut least = vec![[f64::INFINITY; 2]; n];
        let mut borders = Vec::new();
        for &([u, v], kind) in regions.pairs.iter().filter(|(_, kind)| *kind != Pair::Frame) {
            let distance = regions.color[(u, v)];
            for node in [u, v] {
                least[node][1] = least[node][1].min(distance);
                if kind == Pair::Touching {
                    least[node][0] = least[node][0].min(distance);
                }
            }
            borders.extend((kind == Pair::Touching).then_some(distance));
        }
        let mean = |k: usize| {
            let found: Vec<f64> = least.iter().map(|l| l[k]).filter(|d| d.is_finite()).collect();
            found.iter().sum::<f64>() / found.len().max(1) as f64
        };
        borders.sort_by(|a, b| b.total_cmp(a));
        let top = ((borders.len() as f64 * 0.01).round() as usize).clamp(1, borders.len().max(1));
        let strongest = borders.iter().take(top).sum::<f64>() / top as f64;
        let nearest = mean(0);
        Self {
            step: mean(1),
            path: (3.0 * nearest).min(strongest / 10.0).clamp(5.0, 10.0),
            smoothness: (3.0 * nearest).min(0.2 * strongest).clamp(FINEST, 20.0),
        }
    }
}

/// Eq. 3 to 5: the length of the soft region around each region on the frame, over the root of its area, both counted in regions.
fn boundary_connectivity(regions: &Regions, scales: &Scales) -> Vec<f64> {
    let n = regions.at_frame.len();
    let mut path = Array2::from_shape_fn((n, n), |(i, j)| if i == j { 0.0 } else { f64::INFINITY });
    let frame: Vec<usize> = (0..n).filter(|&i| regions.at_frame[i]).collect();
    let on_frame = frame.iter().flat_map(|&i| frame.iter().map(move |&j| [i, j]));
    let touching = regions.pairs.iter().filter(|(_, kind)| *kind == Pair::Touching).map(|(pair, _)| *pair);
    for [u, v] in touching.chain(on_frame).filter(|[u, v]| u != v) {
        let step = (regions.color[(u, v)] - scales.step).max(0.0);
        (path[(u, v)], path[(v, u)]) = (step, step);
    }
    shortest_paths(&mut path);
    let connectivity = |i: usize| {
        let spans: Vec<f64> = path.row(i).iter().map(|&d| within_reach(d, scales.path)).collect();
        let length: f64 = spans.iter().zip(&regions.at_frame).filter(|(_, at)| **at).map(|(span, _)| span).sum();
        length / spans.iter().sum::<f64>().sqrt()
    };
    (0..n).map(connectivity).collect()
}

/// R. Floyd, "Algorithm 97: Shortest path", 1962: steps → shortest paths of all pairs.
fn shortest_paths(path: &mut Array2<f64>) {
    let n = path.nrows();
    let mut through = vec![0.0; n];
    for k in 0..n {
        through.iter_mut().zip(path.row(k)).for_each(|(to, &from)| *to = from);
        for i in 0..n {
            let first = path[(i, k)];
            if first.is_finite() {
                path.row_mut(i).iter_mut().zip(&through).for_each(|(best, &rest)| *best = best.min(first + rest));
            }
        }
    }
}

fn gaussian(distance: f64, sigma: f64) -> f64 {
    (-distance * distance / (2.0 * sigma * sigma)).exp()
}

fn within_reach(distance: f64, sigma: f64) -> f64 {
    if distance > REACH * sigma { 0.0 } else { gaussian(distance, sigma) }
}

#[cfg(test)]
mod tests;
