//! Communities → how much shorter they make the description of the edges.

use super::links::Links;
use super::modularity_moves::shares;

/// Nats per edge that communities save in describing the edges of a graph with known degrees, what it takes to tell
/// the communities being counted; labels are below `k`. 0 without edges.
///
/// The larger saving of two models: a rate of edges for every pair of communities (the microcanonical block model with
/// corrected degrees, Peixoto 2017, Nonparametric Bayesian inference of the microcanonical stochastic block model; the
/// degrees' own terms are the same for all partitions and left out), or one rate within and one between (the planted
/// partition, Zhang & Peixoto 2020). Weights count as numbers of edges, scaled to 1 on the mean.
///
/// # Cost
/// O(m·log m).
pub(super) fn saved(links: &Links, labels: &[u32], k: usize) -> f64 {
    let edges = links.nodes.len() as f64 / 2.0;
    if links.volume() <= 0.0 {
        return 0.0;
    }
    let shares = shares(links, labels, k);
    let blocks = blocks(links, labels);
    let information = |(r, s, share): (u32, u32, f64)| share * (share / (shares[r as usize] * shares[s as usize])).ln();
    let pairs = (k * (k + 1)) as f64 / 2.0;
    let apart = edges * blocks.iter().copied().map(information).sum::<f64>() - ln_choose(pairs + edges - 1.0, edges);
    let within: f64 = blocks.iter().filter(|(r, s, _)| r == s).map(|(.., share)| share).sum();
    let expected: f64 = shares.iter().map(|share| share * share).sum();
    let planted = edges * divergence(within, expected) - (edges + 1.0).ln();
    (apart.max(planted) - partition(labels, k)) / edges
}

/// The share of the volume in every pair of communities, both orders, that has edges.
fn blocks(links: &Links, labels: &[u32]) -> Vec<(u32, u32, f64)> {
    let volume = links.volume();
    let row = |i: usize| links.row(i).map(move |(other, w)| (labels[i], labels[other as usize], f64::from(w) / volume));
    let mut entries: Vec<(u32, u32, f64)> = (0..links.n()).flat_map(row).filter(|entry| entry.2 > 0.0).collect();
    entries.sort_by_key(|&(r, s, _)| (r, s));
    entries.dedup_by(|next, kept| {
        let same = (next.0, next.1) == (kept.0, kept.1);
        kept.2 += if same { next.2 } else { 0.0 };
        same
    });
    entries
}

/// a·ln(a / b) + (1 − a)·ln((1 − a) / (1 − b)).
fn divergence(a: f64, b: f64) -> f64 {
    let part = |a: f64, b: f64| if a > 0.0 && b > 0.0 { a * (a / b).ln() } else { 0.0 };
    part(a, b) + part(1.0 - a, 1.0 - b)
}

/// Nats that the labels take: their number, sizes and nodes.
fn partition(labels: &[u32], k: usize) -> f64 {
    let n = labels.len() as f64;
    let mut sizes = vec![0.0; k];
    labels.iter().for_each(|&label| sizes[label as usize] += 1.0);
    let orders = ln_factorial(n) - sizes.iter().map(|&size| ln_factorial(size)).sum::<f64>();
    orders + ln_choose(n - 1.0, k as f64 - 1.0) + n.ln()
}

/// ln of the ways to choose b of a; 0 where there are none.
fn ln_choose(a: f64, b: f64) -> f64 {
    if b < 0.0 || b > a { 0.0 } else { ln_factorial(a) - ln_factorial(b) - ln_factorial(a - b) }
}

/// ln Γ(x + 1) for x ≥ 0, by Stirling's series from 10 on.
fn ln_factorial(x: f64) -> f64 {
    let (mut x, mut less) = (x, 0.0);
    while x < 10.0 {
        x += 1.0;
        less += x.ln();
    }
    let series = 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3)) + 1.0 / (1260.0 * x.powi(5));
    x * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI * x).ln() + series - less
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::SparseAffinity;

    #[test]
    fn factorials_are_products() {
        for (x, product) in [(0.0, 1.0f64), (1.0, 1.0), (5.0, 120.0), (12.0, 479_001_600.0)] {
            assert!((ln_factorial(x) - product.ln()).abs() < 1e-10, "{x}");
        }
        assert!((ln_choose(6.0, 2.0) - 15f64.ln()).abs() < 1e-10);
    }

    /// Two triangles and a bridge: 6 of 7 edges within, half of the volume in each.
    #[test]
    fn two_triangles_by_hand() {
        let edges = vec![[0, 1], [0, 2], [1, 2], [2, 3], [3, 4], [3, 5], [4, 5]];
        let links = Links::of(&SparseAffinity::new(6, edges.clone(), vec![2.0; 7]).unwrap());
        let (a, b) = (6.0f64 / 7.0, 1.0f64 / 7.0);
        let gain = 7.0 * (a * (a / 0.5).ln() + b * (b / 0.5).ln());
        // Both models see the same rates; the planted one tells a number from 0 to 7, the other three that sum to 7.
        let planted = gain - 8f64.ln();
        let labels = 20f64.ln() + 5f64.ln() + 6f64.ln();
        let found = saved(&links, &[0, 0, 0, 1, 1, 1], 2);
        assert!((found - (planted - labels) / 7.0).abs() < 1e-9, "{found}");
        assert!(found > saved(&links, &[0, 1, 0, 1, 0, 1], 2));
        let none = Links::of(&SparseAffinity::new(6, Vec::new(), Vec::new()).unwrap());
        assert_eq!(saved(&none, &[0, 0, 0, 1, 1, 1], 2), 0.0);
    }
}
