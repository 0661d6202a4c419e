//! Rows of nodes → the number of communities.

use super::description::saved;
use super::held_out::{HeldOut, modularity_of};
use super::links::Links;
use super::modularity_moves::{Moves, modularity};
use super::params::{CommunityParams, CountBy};
use ndarray::{Array2, ArrayView2};
use rand_chacha::ChaCha8Rng;
use segcut_core::{Context, SparseAffinity, StageError, Stop};
use segcut_spectral::{EigenParams, KMeans, KMeansParams, Laplacian, Pencil, eigengap, kmeans, smallest};

/// Starts of k-means per number that is tried.
const STARTS: usize = 3;

/// Distances of a round of k-means from which there is one start.
const MANY: usize = 50_000;

/// Rounds of a start, at most.
const ROUNDS: usize = 30;

/// Sweeps of moves per number that is tried, at most.
const SWEEPS: usize = 5;

/// Numbers that are tried grow by this factor.
const GROWTH: f64 = 1.2;

/// The search ends when so many numbers in a row, and all up to `PAST` times the best, were worse.
const PATIENCE: usize = 4;

/// See `PATIENCE`.
const PAST: usize = 2;

/// Numbers that are tried between the best one and its neighbours.
const BETWEEN: usize = 6;

/// What the number is chosen from.
pub(super) struct Evidence<'a> {
    pub(super) by: CountBy,
    pub(super) affinity: &'a SparseAffinity,
    pub(super) links: &'a Links,
    pub(super) rows: ArrayView2<'a, f32>,
    /// Edges that the others do not know.
    pub(super) held: &'a HeldOut,
}

/// The most communities that are looked for among n nodes: `k_max`, at most 3√n and fewer than nodes.
pub(super) fn most(params: &CommunityParams, n: usize) -> usize {
    let root = (3.0 * (n as f64).sqrt()).ceil() as usize;
    params.k_max.min(root).min(n.saturating_sub(1)).max(1)
}

/// The number of communities from 2 to [`most`]; 1 where there are fewer than 3 nodes. None where no communities make
/// the description shorter.
pub(super) fn cluster_count(
    evidence: &Evidence<'_>,
    params: &CommunityParams,
    context: &Context,
    random: &mut ChaCha8Rng,
) -> Result<Option<usize>, StageError> {
    let high = most(params, evidence.links.n());
    if high < 2 {
        return Ok(Some(high));
    }
    // Edges that are not there describe nothing.
    let by = if evidence.links.volume() > 0.0 { evidence.by } else { CountBy::Silhouette };
    if by == CountBy::Eigengap {
        return gap(evidence, high, context).map(Some);
    }
    let rows = evidence.rows.mapv(f64::from);
    let score = |k: usize| {
        let goes_on = context.stopped() == Stop::No;
        goes_on.then(|| {
            let score = evidence.score(by, &rows, k, (params, context.seed), random);
            context.detail(|| format!("k {k}: {score:.5}"));
            score
        })
    };
    let (k, score) = climb(high, score);
    Ok((by != CountBy::Description || score > 0.0).then_some(k))
}

impl Evidence<'_> {
    /// What a rule finds of k-means, improved by moves where the rule is about edges.
    fn score(
        &self,
        by: CountBy,
        rows: &Array2<f64>,
        k: usize,
        (params, seed): (&CommunityParams, u64),
        random: &mut ChaCha8Rng,
    ) -> f64 {
        let n_init = if rows.nrows().saturating_mul(k) < MANY { STARTS } else { 1 };
        let wanted = KMeansParams { k, n_init, max_iter: ROUNDS, ..KMeansParams::default() };
        let mut found = kmeans(rows.view(), &wanted, seed);
        if by == CountBy::Silhouette {
            return silhouette(rows, &found);
        }
        let attributes = params.refine_attributes;
        let moves = Moves { links: self.links, rows: self.rows, attributes, k, centers: None };
        moves.run(&mut found.labels, params.refine_sweeps.min(SWEEPS), random);
        quality(self, by, &found.labels, k)
    }
}

fn quality(evidence: &Evidence<'_>, by: CountBy, labels: &[u32], k: usize) -> f64 {
    match (by, evidence.held.is_empty()) {
        (CountBy::Modularity, true) => modularity(evidence.links, labels, k),
        (CountBy::Modularity, false) => modularity_of(evidence.held, evidence.links, labels, k),
        _ => saved(evidence.links, labels, k),
    }
}

/// The number from 2 to `high` of the largest score among some: growing ones until they have long been worse than the
/// best, then some between the best and its neighbours; and that score. A score of none ends the search.
fn climb(high: usize, mut score: impl FnMut(usize) -> Option<f64>) -> (usize, f64) {
    let (mut best, mut around, mut worse) = ((2, f64::NEG_INFINITY), [2, high + 1], 0);
    let (mut before, mut k) = (1, 2);
    while k <= high && (worse < PATIENCE || k <= PAST * best.0) {
        let Some(value) = score(k) else { return best };
        let next = (k + 1).max((k as f64 * GROWTH).ceil() as usize);
        worse += 1;
        if value > best.1 {
            (best, around, worse) = ((k, value), [before + 1, next.min(high + 1)], 0);
        }
        (before, k) = (k, next);
    }
    let (coarse, [from, to]) = (best.0, around);
    for k in (from..to).step_by(((to - from) / BETWEEN).max(1)).filter(|&k| k != coarse) {
        let Some(value) = score(k) else { return best };
        if value > best.1 {
            best = (k, value);
        }
    }
    best
}

/// Mean of (b − a) / max(a, b), a the distance to the own center and b that to the nearest other (Hruschka et al.
/// 2006, the simplified silhouette); 0 for a node that is alone.
fn silhouette(rows: &Array2<f64>, found: &KMeans) -> f64 {
    let norms: Vec<f64> = found.centers.rows().into_iter().map(|center| center.dot(&center)).collect();
    let products = rows.dot(&found.centers.t());
    let mut sizes = vec![0usize; norms.len()];
    found.labels.iter().for_each(|&label| sizes[label as usize] += 1);
    let value = |(i, &label): (usize, &u32)| {
        if sizes[label as usize] == 1 {
            return 0.0;
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn climbing_finds_the_top_and_stops_behind_it() {
        for top in [2usize, 3, 7, 13, 34] {
            let mut tried = Vec::new();
            let found = climb(200, |k| {
                tried.push(k);
                Some(-(k as f64 - top as f64).abs())
            });
            assert!(found.0.abs_diff(top) <= top / 30, "{found:?} {top}");
            assert!(tried.iter().all(|&k| k <= 3 * top + 4) && tried.len() < 28, "{tried:?}");
        }
        assert_eq!(climb(1, |_| Some(0.0)).0, 2);
        assert_eq!(climb(50, |k| (k < 10).then_some(k as f64)), (8, 8.0));
    }
}
