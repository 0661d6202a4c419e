//! Points and a rule of nearness → graph.

use super::kernel::{Kernel, Weighting};
use super::navigable::Navigable;
use super::neighbors::{Nearest, Neighbor, distance2, for_all, search, tree_is_slow};
use super::params::{Approximate, PointAffinity, PointGraphError, PointGraphParams, Symmetry};
use ndarray::ArrayView2;
use segcut_core::{SparseAffinity, StageError};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Points → graph of near points.
///
/// A k-d tree up to 8 coordinates, all pairs beyond; `approximate` nearest neighbours by a navigable graph of the points
/// (Malkov & Yashunin 2018), which misses some: by default for more than 30,000 points of more than 8 coordinates. Of
/// points at equal distance the smaller number is nearer.
/// Duplicates are neighbours at distance 0. A graph that falls apart is returned as it is.
///
/// # Determinism
/// The same edges and bits of weights at any number of threads.
///
/// # Cost
/// Few coordinates and approximate: O(n·log n) searches; many: O(n²·d). Memory is that of the edges; approximate besides
/// 4·d + 640 bytes a point.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use segcut_graph::{PointAffinity, PointGraph, PointGraphParams};
/// let points = array![[0.0], [1.0], [3.0]];
/// let params = PointGraphParams { affinity: PointAffinity::Epsilon, epsilon: Some(2.0), ..Default::default() };
/// let graph = PointGraph::new(params)?.build(points.view(), usize::MAX)?;
/// assert_eq!((graph.edges(), graph.weights()), (&[[0, 1], [1, 2]][..], &[1.0, 1.0][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PointGraph {
    params: PointGraphParams,
}

impl PointGraph {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`] with the parameter's name.
    pub fn new(params: PointGraphParams) -> Result<Self, StageError> {
        let positive = |value: f64| value.is_finite() && value > 0.0;
        if params.n_neighbors < 1 {
            return Err(StageError::parameter("points.n_neighbors", params.n_neighbors, "at least 1"));
        }
        if params.scale_neighbor < 1 {
            return Err(StageError::parameter("points.scale_neighbor", params.scale_neighbor, "at least 1"));
        }
        if !positive(params.gamma) {
            return Err(StageError::parameter("points.gamma", params.gamma, "finite and above 0"));
        }
        match params.epsilon {
            None if params.affinity == PointAffinity::Epsilon => {
                Err(StageError::parameter("points.epsilon", "(absent)", "given for affinity epsilon"))
            }
            Some(epsilon) if !positive(epsilon) => {
                Err(StageError::parameter("points.epsilon", epsilon, "finite and above 0"))
            }
            _ => Ok(Self { params }),
        }
    }

    /// The parameters.
    pub fn params(&self) -> &PointGraphParams {
        &self.params
    }

    /// n×d points → graph of at most `most` edges.
    ///
    /// # Errors
    /// [`PointGraphError`].
    pub fn build(&self, points: ArrayView2<'_, f64>, most: usize) -> Result<SparseAffinity, PointGraphError> {
        let (n, dims) = points.dim();
        if let Some(((point, _), &value)) = points.indexed_iter().find(|(_, x)| !(-1e150..=1e150).contains(*x)) {
            return Err(PointGraphError::Coordinate { point, value });
        }
        let n_neighbors = self.params.n_neighbors;
        if self.params.affinity == PointAffinity::NearestNeighbors && n_neighbors > n {
            return Err(PointGraphError::Neighbors { n_neighbors, n });
        }
        let most_of_all = n.saturating_mul(n.saturating_sub(1)) / 2;
        if self.params.affinity == PointAffinity::Rbf && most_of_all > most {
            return Err(PointGraphError::TooManyEdges { n, most });
        }
        if n < 2 || dims == 0 {
            return Ok(SparseAffinity::new(n, Vec::new(), Vec::new())?);
        }
        let points = points.as_standard_layout();
        let near = Near { params: &self.params, points: points.view(), most };
        near.graph()
    }
}

struct Near<'a> {
    params: &'a PointGraphParams,
    points: ArrayView2<'a, f64>,
    most: usize,
}

/// Points of many coordinates up to which all pairs are tried.
const MOST_EXACT: usize = 30_000;

/// A weighted pair u < v.
type Edge = ([u32; 2], f64);

impl Near<'_> {
    fn graph(&self) -> Result<SparseAffinity, PointGraphError> {
        let mut edges = match self.params.affinity {
            PointAffinity::Rbf => self.all_pairs(),
            PointAffinity::Epsilon => self.ball()?,
            PointAffinity::NearestNeighbors => self.nearest()?,
        };
        edges.retain(|(_, weight)| *weight > 0.0);
        let (edges, weights) = edges.into_iter().unzip();
        Ok(SparseAffinity::new(self.points.nrows(), edges, weights)?)
    }

    fn too_many(&self) -> PointGraphError {
        PointGraphError::TooManyEdges { n: self.points.nrows(), most: self.most }
    }

    fn all_pairs(&self) -> Vec<Edge> {
        let n = self.points.nrows() as u32;
        let weighting = match self.params.kernel {
            Kernel::Connectivity => Weighting::One,
            Kernel::Auto | Kernel::Gaussian => Weighting::Gaussian(self.params.gamma),
            Kernel::Local => self.local(),
        };
        let pairs = (0..n).flat_map(|u| (u + 1..n).map(move |v| [u, v]));
        let weight = |[u, v]: [u32; 2]| {
            let distance2 = distance2(&self.points, u as usize, v as usize);
            ([u, v], weighting.weight(u, v, distance2))
        };
        pairs.map(weight).collect()
    }

    fn local(&self) -> Weighting {
        let n = self.points.nrows();
        let count = self.params.scale_neighbor.min(n - 1);
        let search = search(&self.points);
        let lists = for_all(n, &*search, |rows| search.nearest(rows, count));
        Weighting::local(lists.iter().map(|list| list.last().map_or(0.0, |near| near.distance2)))
    }

    fn ball(&self) -> Result<Vec<Edge>, PointGraphError> {
        let epsilon = self.params.epsilon.unwrap_or(0.0);
        let search = search(&self.points);
        let count = AtomicUsize::new(0);
        let ask = |rows: std::ops::Range<usize>| {
            if count.load(Ordering::Relaxed) > self.most {
                return Vec::new();
            }
            let first = rows.start;
            let mut lists = search.within(rows, epsilon * epsilon);
            // Every pair once, in the order of its second end.
            for (i, list) in (first as u32..).zip(&mut lists) {
                list.retain(|near| near.node > i);
                list.sort_unstable_by_key(|near| near.node);
                count.fetch_add(list.len(), Ordering::Relaxed);
            }
            lists
        };
        let lists = for_all(self.points.nrows(), &*search, ask);
        if count.into_inner() > self.most {
            return Err(self.too_many());
        }
        let weighting = match self.params.kernel {
            Kernel::Auto | Kernel::Connectivity => Weighting::One,
            Kernel::Gaussian => Weighting::Gaussian(self.params.gamma),
            Kernel::Local => self.local(),
        };
        let edge = |u: u32, near: Neighbor| ([u, near.node], weighting.weight(u, near.node, near.distance2));
        let rows = (0..).zip(lists);
        Ok(rows.flat_map(|(u, list)| list.into_iter().map(move |near| (u, near))).map(|(u, n)| edge(u, n)).collect())
    }

    /// The nearest others of every point.
    fn lists(&self, count: usize) -> Result<Vec<Vec<Neighbor>>, PointGraphError> {
        let n = self.points.nrows();
        let approximate = match self.params.approximate {
            Approximate::Auto => tree_is_slow(self.points.ncols()) && n > MOST_EXACT,
            Approximate::Always => true,
            Approximate::Never => false,
        };
        if approximate {
            let graph = Navigable::new(&self.points, count).map_err(|_| PointGraphError::Thread)?;
            return Ok(for_all(n, &graph, |rows| graph.nearest(rows, count)));
        }
        let search = search(&self.points);
        Ok(for_all(n, &*search, |rows| search.nearest(rows, count)))
    }

    fn nearest(&self) -> Result<Vec<Edge>, PointGraphError> {
        let n = self.points.nrows();
        let wanted = self.params.n_neighbors - 1;
        if n.saturating_mul(wanted) > self.most {
            return Err(self.too_many());
        }
        let scale = self.params.scale_neighbor.min(n - 1);
        let local = self.params.kernel == Kernel::Local;
        let asked = if local { wanted.max(scale) } else { wanted };
        let lists = self.lists(asked)?;
        let weighting = match self.params.kernel {
            Kernel::Auto | Kernel::Connectivity => Weighting::One,
            Kernel::Gaussian => Weighting::Gaussian(self.params.gamma),
            Kernel::Local => Weighting::local(lists.iter().map(|list| list[scale - 1].distance2)),
        };
        let mut arcs: Vec<([u32; 2], f64)> = Vec::with_capacity(n * wanted);
        for (u, list) in (0u32..).zip(&lists) {
            let ends = list.iter().take(wanted);
            arcs.extend(ends.map(|near| ([u.min(near.node), u.max(near.node)], near.distance2)));
        }
        arcs.sort_unstable_by_key(|arc| arc.0);
        let joined = |arcs: &[([u32; 2], f64)]| {
            let ([u, v], distance2) = arcs[0];
            let share = match (self.params.symmetry, arcs.len()) {
                (_, 2) | (Symmetry::Union, _) => 1.0,
                (Symmetry::Mean, _) => 0.5,
                (Symmetry::Mutual, _) => 0.0,
            };
            ([u, v], share * weighting.weight(u, v, distance2))
        };
        Ok(arcs.chunk_by(|a, b| a.0 == b.0).map(joined).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    fn build(params: PointGraphParams, points: &Array2<f64>) -> Result<SparseAffinity, PointGraphError> {
        PointGraph::new(params).unwrap().build(points.view(), 1000)
    }

    #[test]
    fn one_sided_neighbours_count_by_the_rule() {
        // 0 and 1 are each other's nearest; 3's nearest is 1.
        let points = array![[0.0], [1.0], [3.0]];
        let with = |symmetry| PointGraphParams { n_neighbors: 2, symmetry, ..Default::default() };
        let weights = |symmetry| build(with(symmetry), &points).unwrap().weights().to_vec();
        assert_eq!(weights(Symmetry::Mean), [1.0, 0.5]);
        assert_eq!(weights(Symmetry::Union), [1.0, 1.0]);
        assert_eq!(weights(Symmetry::Mutual), [1.0]);
    }

    #[test]
    fn kernels_by_hand() {
        let points = array![[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]];
        let rbf = PointGraphParams { affinity: PointAffinity::Rbf, gamma: 0.1, ..Default::default() };
        let graph = build(rbf.clone(), &points).unwrap();
        assert_eq!(graph.edges(), [[0, 1], [0, 2], [1, 2]]);
        assert_eq!(graph.weights(), [-2.5f64, -0.1, -1.8].map(f64::exp));
        let local = PointGraphParams { kernel: Kernel::Local, scale_neighbor: 1, ..rbf };
        // scales 1, √18, 1
        let root = 18f64.sqrt();
        let expected = [-25.0 / root, -1.0, -18.0 / root].map(f64::exp);
        let found = build(local, &points).unwrap();
        assert!(found.weights().iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{:?}", found.weights());
    }

    #[test]
    fn equal_points_and_one_point_are_defined() {
        let same = Array2::from_elem((12, 2), 7.0);
        for kernel in [Kernel::Auto, Kernel::Gaussian, Kernel::Local] {
            let graph = build(PointGraphParams { kernel, ..Default::default() }, &same).unwrap();
            assert!(graph.weights().iter().all(|w| *w == 1.0 || *w == 0.5));
        }
        let one = PointGraphParams { affinity: PointAffinity::Rbf, ..Default::default() };
        assert_eq!(build(one, &array![[1.0, 2.0]]).unwrap().n(), 1);
    }

    #[test]
    fn approximate_neighbours_of_few_points_are_the_nearest() {
        let points = Array2::from_shape_fn((60, 9), |(i, d)| ((i * 7 + d * 13) % 29) as f64);
        let weights = |approximate| {
            let params = PointGraphParams { approximate, kernel: Kernel::Local, ..Default::default() };
            build(params, &points).unwrap()
        };
        assert_eq!(weights(Approximate::Always), weights(Approximate::Never));
        assert_eq!(weights(Approximate::Auto), weights(Approximate::Never));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let refused = |params: PointGraphParams| PointGraph::new(params).unwrap_err().to_string();
        let base = PointGraphParams::default;
        let message = refused(PointGraphParams { affinity: PointAffinity::Epsilon, ..base() });
        assert!(message.starts_with("points.epsilon = (absent)"), "{message}");
        assert!(refused(PointGraphParams { gamma: 0.0, ..base() }).starts_with("points.gamma = 0"));
        assert!(refused(PointGraphParams { n_neighbors: 0, ..base() }).starts_with("points.n_neighbors = 0"));
        let few = build(base(), &array![[0.0], [1.0]]).unwrap_err();
        assert_eq!(few, PointGraphError::Neighbors { n_neighbors: 10, n: 2 });
        let nan = build(base(), &array![[0.0], [f64::NAN]]).unwrap_err();
        assert!(matches!(nan, PointGraphError::Coordinate { point: 1, .. }));
        let line = Array2::from_shape_fn((100, 1), |(i, _)| i as f64);
        for params in [
            PointGraphParams { affinity: PointAffinity::Rbf, ..base() },
            PointGraphParams { affinity: PointAffinity::Epsilon, epsilon: Some(30.0), ..base() },
            PointGraphParams { n_neighbors: 20, ..base() },
        ] {
            let error = build(params, &line).unwrap_err();
            assert_eq!(error, PointGraphError::TooManyEdges { n: 100, most: 1000 });
        }
    }
}
