//! Trains one network on a graph of n nodes with 384 features each, 100 epochs, some times over, for
//! `tests/peers/deepcut`: `time_deepcut N REPEATS ncut|cc [THREADS [f32|i16]]`.

#![allow(clippy::unwrap_used)]

use ndarray::Array2;
use segcut_core::{Affinity, ClusterCount, Clusterer, Context, GramAffinity, RegionGraph};
use segcut_neural::{DeepCut, DeepCutParams, Labels, Objective, Precision};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (n, repeats): (usize, usize) = (words[0].parse().unwrap(), words[1].parse().unwrap());
    let cut = words[2] == "ncut";
    let shared = if cut { 0.3 } else { 1.0 };
    let factors = Array2::from_shape_fn((n, 384), |(i, d)| {
        let noise = ((i * 7919 + d * 104_729) % 1009) as f32 / 1009.0 - 0.5;
        (if d % 5 == i % 5 { shared } else { 0.0 }) + noise
    });
    let graph = RegionGraph::new(Affinity::Gram(GramAffinity { factors, clip: cut, shift: 0.0, diagonal: None }));
    let params = DeepCutParams {
        k: ClusterCount::Fixed(if cut { 2 } else { 10 }),
        objective: if cut { Objective::Ncut } else { Objective::Correlation },
        dropout: 0.25,
        learning_rate: 1e-3,
        epochs: 100,
        tolerance: 0.0,
        standardize: false,
        labels: Labels::Training,
        precision: if words.get(4).is_some_and(|word| word == "i16") { Precision::I16 } else { Precision::F32 },
        ..DeepCutParams::default()
    };
    let network = DeepCut::new(params).unwrap();
    let threads = words.get(3).map_or(1, |word| word.parse().unwrap());
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
        for _ in 0..repeats {
            network.cluster(&graph, &Context::default()).unwrap();
        }
    });
}
