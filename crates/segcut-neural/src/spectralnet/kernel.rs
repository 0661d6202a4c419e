//! Rows of a batch → weights of the nearest ones.

use super::params::{BatchScale, Neighbors};
#[cfg(test)]
use ndarray::Array2;
use ndarray::{ArrayView2, Axis};

/// A row's neighbours with their distances, itself the first.
type Near = Vec<(u32, f32)>;

/// Rows → edges (u, v, w), u < v: a Gaussian kernel on the nearest rows, W = (A + Aᵀ)/2.
///
/// A_uv = exp(−d²/σ²) for the nearest v of u, as the authors' package has it: σ is the median distance to neighbour
/// number `scale_neighbor` (global), or for each v the median of its own distances, itself counted (local, by column).
/// Self-tuning is Zelnik-Manor & Perona 2004: exp(−d²/(s_u·s_v)), s the distance to neighbour `scale_neighbor`.
/// `sigma` multiplies the scale.
pub(crate) fn batch_affinity(x: ArrayView2<'_, f32>, params: &Neighbors) -> Vec<(u32, u32, f32)> {
    let near = nearest(x, params.n_neighbors);
    let scales = scales(&near, params);
    let weight = |u: usize, v: usize, distance: f32| {
        let square = match params.scale {
            BatchScale::Global | BatchScale::Local => scales[v] * scales[v],
            BatchScale::SelfTuning => scales[u] * scales[v],
        };
        (-distance * distance / (square * (params.sigma * params.sigma) as f32).max(f32::MIN_POSITIVE)).exp()
    };
    let mut arcs: Vec<(u32, u32, f32)> = Vec::new();
    for (u, list) in near.iter().enumerate() {
        let others = list.iter().filter(|(v, _)| *v as usize != u);
        arcs.extend(others.map(|&(v, distance)| {
            let w = 0.5 * weight(u, v as usize, distance);
            ((u as u32).min(v), (u as u32).max(v), w)
        }));
    }
    arcs.sort_unstable_by_key(|arc| (arc.0, arc.1));
    arcs.dedup_by(|next, kept| {
        let same = (next.0, next.1) == (kept.0, kept.1);
        if same {
            kept.2 += next.2;
        }
        same
    });
    arcs
}

/// For every row itself and the `count` nearest others; of equal distances the smaller number.
fn nearest(x: ArrayView2<'_, f32>, count: usize) -> Vec<Near> {
    let n = x.nrows();
    let centered = &x - &x.mean_axis(Axis(0)).unwrap_or_default();
    let norms: Vec<f32> = centered.rows().into_iter().map(|row| row.dot(&row)).collect();
    let products = centered.dot(&centered.t());
    let kept = (count + 1).min(n);
    let mut order: Vec<(f32, u32)> = Vec::with_capacity(n);
    let row = |u: usize| {
        order.clear();
        let squares = products.row(u);
        order.extend((0u32..).zip(squares).map(|(v, p)| ((norms[u] + norms[v as usize] - 2.0 * p).max(0.0), v)));
        order[u].0 = -1.0;
        let by = |a: &(f32, u32), b: &(f32, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        if kept < n {
            order.select_nth_unstable_by(kept, by);
            order.truncate(kept);
        }
        order.sort_unstable_by(by);
        order.iter().map(|&(square, v)| (v, square.max(0.0).sqrt())).collect()
    };
    (0..n).map(row).collect()
}

fn scales(near: &[Near], params: &Neighbors) -> Vec<f32> {
    let to = |list: &Near| list.get(params.scale_neighbor.min(list.len().saturating_sub(1))).map_or(0.0, |n| n.1);
    match params.scale {
        BatchScale::SelfTuning => near.iter().map(to).collect(),
        BatchScale::Local => near.iter().map(|list| median(list.iter().map(|n| n.1).collect())).collect(),
        BatchScale::Global => vec![median(near.iter().map(to).collect()); near.len()],
    }
}

/// The middle value, the mean of both for an even count.
fn median(mut values: Vec<f32>) -> f32 {
    values.sort_unstable_by(f32::total_cmp);
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[n / 2],
        n => 0.5 * (values[n / 2 - 1] + values[n / 2]),
    }
}

/// The edges as a dense matrix with a diagonal of 1.
#[cfg(test)]
pub(crate) fn dense(n: usize, edges: &[(u32, u32, f32)]) -> Array2<f64> {
    let mut matrix = Array2::eye(n);
    for &(u, v, w) in edges {
        matrix[[u as usize, v as usize]] = f64::from(w);
        matrix[[v as usize, u as usize]] = f64::from(w);
    }
    matrix
}
