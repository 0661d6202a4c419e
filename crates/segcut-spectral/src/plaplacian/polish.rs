//! Vectors that cut a graph to better ones, by 1-spectral descents.

use super::criterion::Criterion;
use super::functional::PFunctional;
use super::threshold::{Threshold, Valuation, cut_by};
use crate::onespectral::{CoarseToFine, DualProblem, InversePower, LARGE};
use crate::pencil::Pencil;
use segcut_core::Context;

/// The sets that 1-spectral descents reach from some vectors, and the vectors on the way.
///
/// Each vector, and what the descent on the Euclidean ball makes of it, is cut at its best Cheeger and sum
/// thresholds; the sets descend. Large graphs are searched from coarse to fine.
pub(crate) fn polished(graph: &Pencil, criterion: Criterion, vectors: &[Vec<f64>], context: &Context) -> Vec<Vec<f64>> {
    if graph.n() > LARGE {
        return polished_large(graph, criterion, vectors, context);
    }
    let mut descent = InversePower::new(graph, criterion);
    let mut dual = DualProblem::new(&PFunctional::new(graph, 2.0), graph.n());
    let smooth: Vec<Vec<f64>> = vectors.iter().map(|v| descent.smooth_descent(&mut dual, v)).collect();
    let mut sets: Vec<Vec<f64>> = Vec::new();
    for vector in vectors.iter().chain(&smooth) {
        for by in [Criterion::Cheeger, Criterion::Cut] {
            let valuation = Valuation { criterion: by, imbalance: 0.0, mass: graph.mass(), outside: None };
            let cut = cut_by(graph, vector, Threshold::Best, &valuation);
            let set = descent.descend(cut.above, context);
            sets.push(indicator(&set.above));
        }
    }
    sets.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    sets.dedup();
    sets.into_iter().chain(smooth).collect()
}

fn polished_large(graph: &Pencil, criterion: Criterion, vectors: &[Vec<f64>], context: &Context) -> Vec<Vec<f64>> {
    let search = CoarseToFine::new(graph, criterion);
    let mut descent = InversePower::new(search.coarsest(), criterion);
    let mut sets = Vec::new();
    for vector in vectors {
        let coarse = search.restricted(vector);
        for by in [Criterion::Cheeger, Criterion::Cut] {
            sets.push(indicator(&search.thresholded(vector, by, context).above));
            let mass = search.coarsest().mass();
            let valuation = Valuation { criterion: by, imbalance: 0.0, mass, outside: None };
            let cut = cut_by(search.coarsest(), &coarse, Threshold::Best, &valuation);
            let set = descent.descend(cut.above, context);
            sets.push(indicator(&search.prolonged(&set, context).above));
        }
    }
    sets
}

fn indicator(above: &[bool]) -> Vec<f64> {
    above.iter().map(|&a| f64::from(u8::from(a))).collect()
}
