//! Clusters of few points to clusters from which no single move lowers the inertia.

use super::kmeans::{KMeans, inertia};
use super::plus_plus::Weighted;

/// Passes over the points at most.
const PASSES: usize = 100;

/// A move must lower the inertia by more than this share of what it touches.
const GAIN: f64 = 1e-12;

/// Points of weight 1 move one by one to the cluster that lowers the sum of squares most, until none does.
///
/// Hartigan 1975, chapter 4; every optimum of it is one of Lloyd's, but not the other way round (Telgarsky & Vattani 2010).
///
/// # Cost
/// O(n·k·d) per pass.
pub(super) fn exchange(points: &Weighted<'_>, start: KMeans) -> KMeans {
    let mut state = Exchange::new(points, start);
    let mut passes = 0;
    let mut moved = points.n();
    while moved > 0 && passes < PASSES {
        moved = (0..points.n()).filter(|&i| state.improve(i)).count();
        passes += 1;
    }
    let Exchange { mut found, .. } = state;
    found.inertia = inertia(points, &found.labels, &found.centers);
    found.iterations += passes;
    found
}

struct Exchange<'a> {
    points: &'a Weighted<'a>,
    found: KMeans,
    counts: Vec<f64>,
}

impl<'a> Exchange<'a> {
    fn new(points: &'a Weighted<'a>, mut found: KMeans) -> Self {
        let mut counts = vec![0.0; found.centers.nrows()];
        let mut sums = ndarray::Array2::<f64>::zeros(found.centers.dim());
        for (i, &label) in found.labels.iter().enumerate() {
            counts[label as usize] += 1.0;
            sums.row_mut(label as usize).iter_mut().zip(points.row(i)).for_each(|(sum, x)| *sum += x);
        }
        for ((sum, mut center), &count) in sums.rows().into_iter().zip(found.centers.rows_mut()).zip(&counts) {
            if count > 0.0 {
                center.iter_mut().zip(sum).for_each(|(c, s)| *c = s / count);
            }
        }
        Self { points, found, counts }
    }

    /// Moves one point where that lowers the inertia.
    fn improve(&mut self, i: usize) -> bool {
        let own = self.found.labels[i] as usize;
        if self.counts[own] <= 1.0 {
            return false;
        }
        // What the sum of squares of a cluster loses or gains with the point.
        let change = |c: usize, count: f64, sign: f64| {
            let center = self.found.centers.row(c);
            let square: f64 = self.points.row(i).iter().zip(center).map(|(x, y)| (x - y) * (x - y)).sum();
            square * count / (count + sign)
        };
        let loss = change(own, self.counts[own], -1.0);
        let others = (0..self.counts.len()).filter(|&c| c != own);
        let best = others.map(|c| (change(c, self.counts[c], 1.0), c)).reduce(|a, b| if b.0 < a.0 { b } else { a });
        let Some((_, to)) = best.filter(|(gain, _)| *gain < loss * (1.0 - GAIN)) else { return false };
        self.shift(own, i, -1.0);
        self.shift(to, i, 1.0);
        self.found.labels[i] = to as u32;
        true
    }

    /// Adds a point to a cluster, or takes it out.
    fn shift(&mut self, cluster: usize, i: usize, sign: f64) {
        self.counts[cluster] += sign;
        let step = sign / self.counts[cluster];
        for (c, x) in self.found.centers.row_mut(cluster).iter_mut().zip(self.points.row(i)) {
            *c += step * (x - *c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn a_point_leaves_where_the_sum_of_squares_falls() {
        // Lloyd stands still here, for 3 lies halfway between the centers; the sum of squares falls from 6 to 2.
        let points = Weighted { rows: &[0.0, 0.0, 3.0, 5.0], d: 1, weights: None };
        let start = KMeans {
            labels: vec![0, 0, 0, 1],
            centers: array![[1.0], [5.0]],
            inertia: 6.0,
            iterations: 1,
            converged: true,
        };
        let found = exchange(&points, start);
        assert_eq!((found.labels, found.inertia), (vec![0, 0, 1, 1], 2.0));
        assert_eq!(found.centers, array![[0.0], [4.0]]);
    }
}
