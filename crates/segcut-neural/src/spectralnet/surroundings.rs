//! Features of nodes → features of what is around them.

use super::params::SpectralNetParams;
use ndarray::{Array1, Array2, ArrayView2, Axis, concatenate};
use segcut_core::RegionGraph;

/// Rows of a graph's features → for each number of hops a copy that is averaged so often with the neighbours, and with
/// `relative` a copy less the graph's mean, side by side.
///
/// One hop is ½(x_u + Σ_v w_uv·x_v / Σ_v w_uv), a step of the lazy random walk (Wu et al., Simplifying graph
/// convolutional networks, ICML 2019, with another walk); a node without edges keeps its own. The mean counts nodes
/// by their size.
pub(crate) fn surroundings(rows: Array2<f32>, graph: &RegionGraph, params: &SpectralNetParams) -> Array2<f32> {
    if params.hops == [0] && !params.relative {
        return rows;
    }
    let apart = params.relative.then(|| less_mean(&rows, graph));
    let mut fields: Vec<(usize, Array2<f32>)> = Vec::new();
    let mut now = (0, rows);
    let mut order = params.hops.clone();
    order.sort_unstable();
    order.dedup();
    for &hops in &order {
        while now.0 < hops {
            now = (now.0 + 1, step(now.1.view(), graph));
        }
        fields.push((hops, now.1.clone()));
    }
    let copies = params.hops.iter().filter_map(|hops| fields.iter().find(|field| field.0 == *hops));
    let views: Vec<ArrayView2<'_, f32>> = copies.map(|field| &field.1).chain(&apart).map(|x| x.view()).collect();
    concatenate(Axis(1), &views).unwrap_or_default().as_standard_layout().into_owned()
}

fn step(x: ArrayView2<'_, f32>, graph: &RegionGraph) -> Array2<f32> {
    let Some(sparse) = graph.affinity().sparse() else { return x.to_owned() };
    let mut sum = Array2::<f32>::zeros(x.raw_dim());
    let mut degree = Array1::<f32>::zeros(x.nrows());
    for (&[u, v], &weight) in sparse.edges().iter().zip(sparse.weights()).filter(|(_, weight)| **weight > 0.0) {
        let (u, v, weight) = (u as usize, v as usize, weight as f32);
        sum.row_mut(u).scaled_add(weight, &x.row(v));
        sum.row_mut(v).scaled_add(weight, &x.row(u));
        degree[u] += weight;
        degree[v] += weight;
    }
    for ((mut row, own), &degree) in sum.rows_mut().into_iter().zip(x.rows()).zip(&degree) {
        match degree > 0.0 {
            true => row.zip_mut_with(&own, |sum, &x| *sum = 0.5 * (*sum / degree + x)),
            false => row.assign(&own),
        }
    }
    sum
}

fn less_mean(rows: &Array2<f32>, graph: &RegionGraph) -> Array2<f32> {
    let ones = || vec![1.0; graph.n()];
    let sizes = Array1::from(graph.geometry().map_or_else(ones, |geometry| geometry.size.clone()));
    let mean = rows.mapv(f64::from).t().dot(&sizes) / sizes.sum().max(f64::MIN_POSITIVE);
    rows - &mean.mapv(|m| m as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use segcut_core::{Affinity, SparseAffinity};

    #[test]
    fn neighbors_are_averaged_and_the_mean_is_taken_away() {
        let affinity = SparseAffinity::new(4, vec![[0, 1], [1, 2]], vec![1.0, 3.0]).unwrap();
        let graph = RegionGraph::new(Affinity::Sparse(affinity));
        let rows = array![[0.0f32], [4.0], [8.0], [8.0]];
        let params = SpectralNetParams { hops: vec![1, 0], relative: true, ..SpectralNetParams::default() };
        let found = surroundings(rows.clone(), &graph, &params);
        assert_eq!(found, array![[2.0, 0.0, -5.0], [5.0, 4.0, -1.0], [6.0, 8.0, 3.0], [8.0, 8.0, 3.0]]);
        assert_eq!(surroundings(rows.clone(), &graph, &SpectralNetParams::default()), rows);
    }
}
