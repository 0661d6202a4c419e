//! Rows of nodes → attention-weighted means of their neighbours' rows.

use super::links::Links;
use crate::exponential::exp;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2};

/// Slope of the scores below 0.
const SLOPE: f32 = 0.2;

/// What a forward pass leaves: the shares of every edge, of every node itself, and the slopes of their scores.
#[derive(Debug)]
pub(crate) struct Attended {
    /// n×d means.
    pub(crate) out: Array2<f32>,
    shares: Vec<f32>,
    slopes: Vec<f32>,
}

/// Neighbours of a node and the node itself, with their place among all entries.
fn entries(links: &Links, i: usize) -> impl Iterator<Item = (usize, usize)> + '_ {
    let row = links.offsets[i]..links.offsets[i + 1];
    // Every row has one entry more than it has neighbours.
    row.clone().map(move |at| (at + i, links.nodes[at] as usize)).chain([(row.end + i, i)])
}

/// The logarithms of all weights, as [`attend`] adds them to the scores; a node's own is 0.
pub(crate) fn log_weights(links: &Links) -> Vec<f32> {
    (0..links.n()).flat_map(|i| links.row(i).map(|(_, weight)| weight.ln()).chain([0.0])).collect()
}

/// Σⱼ softmaxⱼ(LeakyReLU(aᵀhᵢ + bᵀhⱼ) + `added`)·hⱼ over the neighbours and i itself (Veličković et al. 2018, eq. 3
/// and 4, where nothing is added and edge weights are not read).
pub(crate) fn attend(
    links: &Links,
    h: ArrayView2<'_, f32>,
    vectors: [ArrayView1<'_, f32>; 2],
    added: Option<&[f32]>,
) -> Attended {
    let scores = vectors.map(|vector| h.dot(&vector));
    let total = links.nodes.len() + links.n();
    let (mut shares, mut slopes) = (vec![0.0; total], vec![0.0; total]);
    let mut out = Array2::zeros(h.raw_dim());
    for i in 0..links.n() {
        let mut largest = f32::NEG_INFINITY;
        for (at, j) in entries(links, i) {
            let raw = scores[0][i] + scores[1][j];
            slopes[at] = if raw > 0.0 { 1.0 } else { SLOPE };
            shares[at] = raw * slopes[at] + added.map_or(0.0, |added| added[at]);
            largest = largest.max(shares[at]);
        }
        let mut sum = 0.0;
        for (at, _) in entries(links, i) {
            shares[at] = exp(shares[at] - largest);
            sum += shares[at];
        }
        let mut row = out.row_mut(i);
        for (at, j) in entries(links, i) {
            shares[at] /= sum;
            row.scaled_add(shares[at], &h.row(j));
        }
    }
    Attended { out, shares, slopes }
}

/// The gradient of h and of the two vectors from that of the means.
pub(crate) fn attend_back(
    links: &Links,
    h: ArrayView2<'_, f32>,
    vectors: [ArrayView1<'_, f32>; 2],
    pass: &Attended,
    outer: ArrayView2<'_, f32>,
) -> (Array2<f32>, [Array1<f32>; 2]) {
    let mut of_h = Array2::zeros(h.raw_dim());
    let mut of_scores = [Array1::<f32>::zeros(links.n()), Array1::zeros(links.n())];
    for i in 0..links.n() {
        let slope = |j: usize| outer.row(i).dot(&h.row(j));
        let mean: f32 = entries(links, i).map(|(at, j)| pass.shares[at] * slope(j)).sum();
        for (at, j) in entries(links, i) {
            let share = pass.shares[at];
            let of_raw = share * (slope(j) - mean) * pass.slopes[at];
            of_scores[0][i] += of_raw;
            of_scores[1][j] += of_raw;
            of_h.row_mut(j).scaled_add(share, &outer.row(i));
        }
    }
    for (of_score, vector) in of_scores.iter().zip(vectors) {
        for (mut row, &score) in of_h.rows_mut().into_iter().zip(of_score) {
            row.scaled_add(score, &vector);
        }
    }
    let of_vectors = of_scores.map(|of_score| of_score.dot(&h));
    (of_h, of_vectors)
}
