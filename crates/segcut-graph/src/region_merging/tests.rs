use super::*;
use proptest::prelude::*;

const FACTOR: SizeFactor = SizeFactor { full_size: 6.0, exponent: 0.25 };

/// Everything recomputed from the members of each region at every step.
struct Plain<'a> {
    regions: Regions<'a>,
    /// (tree node, members).
    clusters: Vec<(u32, Vec<usize>)>,
}

impl Plain<'_> {
    fn size(&self, cluster: usize) -> f64 {
        self.clusters[cluster].1.iter().map(|&i| self.regions.sizes[i]).sum()
    }

    fn mean(&self, cluster: usize, block: &FeatureBlock) -> Vec<f64> {
        let weighted = |d: usize| {
            let of = |&i: &usize| self.regions.sizes[i] * f64::from(block.row(i)[d]);
            self.clusters[cluster].1.iter().map(of).sum::<f64>() / self.size(cluster)
        };
        (0..block.dims).map(weighted).collect()
    }

    fn strength(&self, a: usize, b: usize) -> Option<f64> {
        let (a, b) = (&self.clusters[a].1, &self.clusters[b].1);
        let between = |border: &&Border| {
            let [u, v] = border.nodes.map(|n| n as usize);
            (a.contains(&u) && b.contains(&v)) || (a.contains(&v) && b.contains(&u))
        };
        let all: Vec<_> = self.regions.borders.iter().filter(between).collect();
        let length: f64 = all.iter().map(|b| b.length).sum();
        (!all.is_empty()).then(|| all.iter().map(|b| b.strength * b.length).sum::<f64>() / length)
    }

    fn cost(&self, a: usize, b: usize) -> Option<f64> {
        let strength = self.strength(a, b)?;
        let distance = |block: &FeatureBlock| {
            let rows = self.mean(a, block).into_iter().zip(self.mean(b, block));
            if block.bins.is_empty() {
                return rows.map(|(p, q)| (p - q).powi(2)).sum::<f64>().sqrt();
            }
            0.5 * rows.map(|(p, q)| (p - q).powi(2) / (p + q + 1e-12)).sum::<f64>()
        };
        let blocks = self.regions.blocks.iter().map(|term| (term, distance(term.block)));
        let (sum, exponent) = blocks.fold((0.0, 0.0), |(sum, exponent), (term, distance)| {
            (sum + term.weight * distance, exponent + term.exponent * distance.sqrt())
        });
        let share = (self.size(a).min(self.size(b)) / FACTOR.full_size).min(1.0);
        Some(share.powf(FACTOR.exponent) * (strength + sum) * f64::exp(exponent))
    }

    /// The height of every merge, and the clusters before each of them.
    fn run(mut self) -> (Vec<f64>, Vec<Vec<Vec<usize>>>) {
        let (mut heights, mut height) = (Vec::new(), 0.0f64);
        let mut states = vec![self.members()];
        while self.clusters.len() > 1 {
            let pairs = (0..self.clusters.len()).flat_map(|a| (0..a).map(move |b| (b, a)));
            let best = pairs.filter_map(|(a, b)| self.cost(a, b).map(|c| (c, a, b)));
            let (cost, a, b) = best.min_by(|x, y| x.0.total_cmp(&y.0)).unwrap_or((f64::INFINITY, 0, 1));
            height = height.max(cost);
            heights.push(height);
            let (_, members) = self.clusters.remove(b);
            self.clusters[a].1.extend(members);
            states.push(self.members());
        }
        (heights, states)
    }

    /// Sorted members of each cluster, clusters by their first member.
    fn members(&self) -> Vec<Vec<usize>> {
        let mut all: Vec<Vec<usize>> = self.clusters.iter().map(|(_, members)| members.clone()).collect();
        all.iter_mut().for_each(|members| members.sort_unstable());
        all.sort_unstable();
        all
    }
}

fn drawn(n: usize, seed: u32) -> (Vec<f64>, Vec<Border>, FeatureBlock, FeatureBlock) {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1u32 << 24)
    };
    let sizes = (0..n).map(|_| 1.0 + (9.0 * next()).floor()).collect();
    let mut borders = Vec::new();
    for v in 1..n as u32 {
        for u in 0..v {
            let (kept, length, strength) = (next() < 0.3, 1.0 + 5.0 * next(), next());
            borders.extend(kept.then_some(Border { nodes: [u, v], length, strength }));
        }
    }
    let mut histograms = Vec::new();
    for _ in 0..n {
        let row: Vec<f64> = (0..11).map(|_| next()).collect();
        histograms.extend(row.iter().map(|v| (v / row.iter().sum::<f64>()) as f32));
    }
    let means = (0..2 * n).map(|_| next() as f32).collect();
    (
        sizes,
        borders,
        FeatureBlock { name: "h".into(), dims: 11, values: histograms, bins: vec![11] },
        FeatureBlock { name: "m".into(), dims: 2, values: means, bins: vec![] },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn heights_and_cuts_are_those_of_the_plain_loop(n in 1usize..14, seed in 0u32..10_000) {
        let (sizes, borders, histograms, means) = drawn(n, seed);
        let blocks = [
            BlockTerm { block: &histograms, weight: 0.7, exponent: 0.4 },
            BlockTerm { block: &means, weight: 0.2, exponent: 0.1 },
        ];
        let regions = Regions { sizes: &sizes, borders: &borders, blocks: &blocks };
        let clusters = (0..n).map(|i| (i as u32, vec![i])).collect();
        let (plain, states) = Plain { regions, clusters }.run();
        let tree = region_merging(&regions, FACTOR).unwrap();
        let found: Vec<f64> = tree.merges().iter().map(|m| m.height).collect();
        prop_assert_eq!(found.len(), plain.len());
        for (a, b) in found.iter().zip(&plain) {
            prop_assert!(a == b || (a - b).abs() < 1e-5, "{:?} {:?}", found, plain);
        }
        // What no border connects has no order: clusters are compared while costs are finite.
        let finite = plain.iter().filter(|height| height.is_finite()).count();
        for (merges, state) in states.iter().enumerate().take(finite + 1) {
            let partition = tree.cut_k(n - merges);
            let mut cut = vec![Vec::new(); partition.k()];
            partition.labels().iter().enumerate().for_each(|(i, &label)| cut[label as usize].push(i));
            prop_assert_eq!(&cut, state);
        }
    }
}

#[test]
fn equal_costs_go_by_tree_node_and_components_join_at_infinity() {
    let border = |nodes| Border { nodes, length: 2.0, strength: 1.0 };
    let borders = [border([3, 4]), border([0, 1])];
    let regions = Regions { sizes: &[1.0; 5], borders: &borders, blocks: &[] };
    let tree = region_merging(&regions, SizeFactor { full_size: 1.0, exponent: 1.0 }).unwrap();
    let nodes: Vec<_> = tree.merges().iter().map(|m| m.nodes).collect();
    assert_eq!(nodes, [[0, 1], [3, 4], [2, 5], [7, 6]]);
    assert_eq!(tree.merges()[1].height, 1.0);
    assert_eq!(tree.merges()[2].height, f64::INFINITY);
}

#[test]
fn nan_is_refused() {
    let borders = [Border { nodes: [0, 1], length: 1.0, strength: f64::NAN }];
    let regions = Regions { sizes: &[1.0; 2], borders: &borders, blocks: &[] };
    assert!(region_merging(&regions, FACTOR).is_err());
}
