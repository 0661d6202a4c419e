//! Seconds, the least of some repeats, for one network on a graph of n nodes with 384 features each, 100 epochs, for
//! `tests/peers/deepcut`: `time_deepcut N REPEATS`.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods)]

use ndarray::Array2;
use segcut_core::{Affinity, ClusterCount, Clusterer, Context, GramAffinity, RegionGraph};
use segcut_neural::{DeepCut, DeepCutParams, Labels, Objective};
use std::time::Instant;

fn main() {
    let mut words = std::env::args().skip(1).map(|word| word.parse::<usize>().unwrap());
    let (n, repeats) = (words.next().unwrap_or(1225), words.next().unwrap_or(3));
    let factors = Array2::from_shape_fn((n, 384), |(i, d)| {
        let noise = ((i * 7919 + d * 104_729) % 1009) as f32 / 1009.0 - 0.5;
        (if d % 5 == i % 5 { 0.3 } else { 0.0 }) + noise
    });
    for (name, objective, clip, k) in [("ncut", Objective::Ncut, true, 2), ("cc", Objective::Correlation, false, 10)] {
        let gram = GramAffinity { factors: factors.clone(), clip, shift: 0.0, diagonal: None };
        let graph = RegionGraph::new(Affinity::Gram(gram));
        let params = DeepCutParams {
            k: ClusterCount::Fixed(k),
            objective,
            dropout: 0.25,
            learning_rate: 1e-3,
            epochs: 100,
            tolerance: 0.0,
            standardize: false,
            labels: Labels::Training,
            ..DeepCutParams::default()
        };
        let network = DeepCut::new(params).unwrap();
        let run = || {
            let start = Instant::now();
            network.cluster(&graph, &Context::default()).unwrap();
            start.elapsed().as_secs_f64()
        };
        let best = (0..repeats).map(|_| run()).fold(f64::INFINITY, f64::min);
        println!("{name} {n} {best:.4}");
    }
}
