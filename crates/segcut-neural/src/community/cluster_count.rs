//! Rows of nodes → the number of communities.

use super::links::Links;
use super::modularity_moves::{Moves, modularity};
use super::params::{CommunityParams, CountBy};
use ndarray::{Array2, ArrayView2};
use rand_chacha::ChaCha8Rng;
use segcut_core::{Context, SparseAffinity, StageError, Stop};
use segcut_spectral::{EigenParams, KMeans, KMeansParams, Laplacian, Pencil, eigengap, kmeans, smallest};

/// Starts of k-means per number that is tried.
const STARTS: usize = 3;

/// What the number is chosen from.
pub(super) struct Evidence<'a> {
    pub(super) affinity: &'a SparseAffinity,
    pub(super) links: &'a Links,
    pub(super) rows: ArrayView2<'a, f32>,
}

/// The number of communities from 2 to `k_max`; 1 where there are fewer than 3 nodes.
pub(super) fn cluster_count(
    evidence: &Evidence<'_>,
    params: &CommunityParams,
    context: &Context,
    random: &mut ChaCha8Rng,
) -> Result<usize, StageError> {
    let n = evidence.links.n();
    let high = params.k_max.min(n.saturating_sub(1));
    if high < 2 {
        return Ok(high.max(1));
    }
    if params.k_by == CountBy::Eigengap {
        return gap(evidence, high, context);
    }
    let rows = evidence.rows.mapv(f64::from);
    let mut best = (2, f64::NEG_INFINITY);
    for k in 2..=high {
        if context.stopped() != Stop::No {
            break;
        }
        let mut found = kmeans(rows.view(), &KMeansParams { k, n_init: STARTS, ..Default::default() }, context.seed);
        let score = match params.k_by {
            CountBy::Silhouette => silhouette(&rows, &found),
            _ => {
                let (links, attributes) = (evidence.links, params.refine_attributes);
                let moves = Moves { links, rows: evidence.rows, attributes, k, centers: None };
                moves.run(&mut found.labels, params.refine_sweeps, random);
                modularity(links, &found.labels, k)
            }
        };
        context.detail(|| format!("k {k}: {score:.5}"));
        if score > best.1 {
            best = (k, score);
        }
    }
    Ok(best.0)
}

/// Mean of (b − a) / max(a, b), a the distance to the own center and b that to the nearest other (Hruschka et al.
/// 2006, the simplified silhouette).
fn silhouette(rows: &Array2<f64>, found: &KMeans) -> f64 {
    let norms: Vec<f64> = found.centers.rows().into_iter().map(|center| center.dot(&center)).collect();
    let products = rows.dot(&found.centers.t());
    let value = |(i, &label): (usize, &u32)| {
        let length = rows.row(i).dot(&rows.row(i));
        let distance = |c: usize| (length + norms[c] - 2.0 * products[[i, c]]).max(0.0).sqrt();
        let own = distance(label as usize);
        let others = (0..norms.len()).filter(|&c| c != label as usize).map(distance);
        let other = others.fold(f64::INFINITY, f64::min);
        (other - own) / own.max(other).max(f64::MIN_POSITIVE)
    };
    found.labels.iter().enumerate().map(value).sum::<f64>() / rows.nrows().max(1) as f64
}

fn gap(evidence: &Evidence<'_>, high: usize, context: &Context) -> Result<usize, StageError> {
    let (component, volumes) = evidence.links.components();
    let largest = (0..volumes.len()).fold(0, |best, c| if volumes[c] > volumes[best] { c } else { best }) as u32;
    let mut next = 0;
    let number: Vec<u32> = component
        .iter()
        .map(|&c| {
            next += u32::from(c == largest);
            if c == largest { next - 1 } else { u32::MAX }
        })
        .collect();
    let kept = evidence.affinity.edges().iter().zip(evidence.affinity.weights());
    let kept = kept.map(|(edge, &w)| (edge.map(|node| number[node as usize]), w)).filter(|(e, _)| e[0] != u32::MAX);
    let (edges, weights) = kept.unzip();
    let part = SparseAffinity::new(next as usize, edges, weights).map_err(StageError::data)?;
    let high = high.min((next as usize).saturating_sub(1));
    if high < 2 {
        return Ok(1);
    }
    let pencil = Pencil::new(&part, Laplacian::Normalized, 0.0).map_err(StageError::data)?;
    let wanted = EigenParams { k: high + 1, ..EigenParams::default() };
    let spectrum = smallest(&pencil, &wanted, context).map_err(StageError::data)?;
    Ok(eigengap(spectrum.values.as_slice(), 2, high))
}
