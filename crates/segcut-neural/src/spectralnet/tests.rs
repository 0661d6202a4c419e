//! Kernels, losses, gradients and one step against the authors' package (`tests/oracle/spectralnet`), and the span of
//! the true eigenvectors on a small graph.

use super::assignment::{Assign, Vectors};
use super::augmentation::AugmentationParams;
use super::autoencoder::AutoencoderParams;
use super::batches::Batch;
use super::convolution::ConvolutionParams;
use super::kernel::{batch_affinity, dense};
use super::learner::SpectralNet;
use super::loss::{Apart, Moments, spectral_loss, through};
use super::model::SpectralNetModel;
use super::network::{GraphEncoderParams, Network};
use super::orthonormal::orthonormal;
use super::params::{Activation, BatchScale, Neighbors, Orthogonality, Similarity, SpectralNetParams};
use super::perceptron::{Last, Layer, Perceptron};
use super::pretraining::Pretraining;
use super::siamese::SiameseParams;
use super::training::Training;
use crate::community::EncoderKind;
use ndarray::{Array1, Array2, s};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use segcut_core::{
    Affinity, Checkpoint, ClusterCount, Clusterer, Context, FeatureBlock, Learner, Note, RegionGraph, SparseAffinity,
    StageError, Stop, Unkept,
};
use segcut_spectral::{EigenParams, Laplacian, Pencil, smallest};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn fixture() -> Value {
    serde_json::from_str(include_str!("../../../../tests/oracle/spectralnet/components.json")).unwrap()
}

fn vector(value: &Value) -> Array1<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn matrix(value: &Value) -> Array2<f64> {
    let rows: Vec<Array1<f64>> = value.as_array().unwrap().iter().map(vector).collect();
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j])
}

fn narrow(matrix: &Array2<f64>) -> Array2<f32> {
    matrix.mapv(|x| x as f32)
}

/// Weights and biases as PyTorch stores them, outputs×inputs → our layers.
fn layers(value: &Value) -> Vec<Layer> {
    let arrays = value.as_array().unwrap();
    let layer = |pair: &[Value]| Layer {
        matrix: narrow(&matrix(&pair[0]).reversed_axes()).as_standard_layout().into_owned(),
        bias: vector(&pair[1]).mapv(|x| x as f32),
    };
    arrays.chunks(2).map(layer).collect()
}

/// All nodes with the weights of the fixture's global kernel.
fn batch(fixture: &Value) -> Batch {
    let w = matrix(&fixture["global"]["w"]);
    let n = w.nrows() as u32;
    let pairs = (0..n).flat_map(|u| (u + 1..n).map(move |v| (u, v)));
    let edges = pairs.map(|(u, v)| (u, v, w[[u as usize, v as usize]] as f32)).filter(|e| e.2 > 0.0).collect();
    Batch { nodes: (0..n).collect(), edges, mass: Array1::ones(n as usize) }
}

fn apart(orthogonality: Orthogonality) -> Apart {
    Apart { orthogonality, penalty: 0.0, variance: 0.0 }
}

fn near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * b.abs().max(1.0)
}

#[test]
fn kernels_are_those_of_the_package() {
    let fixture = fixture();
    let x = narrow(&matrix(&fixture["x"]));
    let number = |key: &str| fixture[key].as_u64().unwrap() as usize;
    for (name, scale) in [("local", BatchScale::Local), ("global", BatchScale::Global)] {
        // The package counts a row as its own first neighbour.
        let params = Neighbors {
            n_neighbors: number("neighbors"),
            scale_neighbor: number("scale_k") - 1,
            scale,
            sigma: 1.0,
            ..Neighbors::default()
        };
        let found = dense(x.nrows(), &batch_affinity(x.view(), &params));
        let wanted = matrix(&fixture[name]["w"]);
        assert!(found.iter().zip(&wanted).all(|(&a, &b)| near(a, b, 2e-6)), "{name}");
    }
}

#[test]
fn orthonormalisation_is_that_of_the_package_up_to_signs() {
    let fixture = fixture();
    let outputs = matrix(&fixture["outputs"]);
    let m = outputs.nrows() as f64;
    let found = orthonormal((outputs.t().dot(&outputs) / m).view());
    let wanted = matrix(&fixture["weights"]);
    assert!(found.weights.iter().zip(&wanted).all(|(&a, &b)| near(a.abs(), b.abs(), 1e-5)));
    let y = outputs.dot(&found.weights);
    let gram = y.t().dot(&y) / m - Array2::<f64>::eye(y.ncols());
    assert!(gram.iter().all(|x| x.abs() < 1e-5));
}

#[test]
fn losses_are_those_of_the_package() {
    let fixture = fixture();
    let moments = Moments::of(narrow(&matrix(&fixture["outputs"])).view(), &batch(&fixture), false);
    for orthogonality in [Orthogonality::Fixed, Orthogonality::Through] {
        let loss = spectral_loss(&moments, &moments, apart(orthogonality));
        assert!(near(loss.value, fixture["loss"].as_f64().unwrap(), 1e-5), "{}", loss.value);
        assert_eq!(loss.rank, 4);
    }
}

#[test]
fn gradients_and_a_step_are_those_of_the_package() {
    let fixture = fixture();
    let (x, batch) = (narrow(&matrix(&fixture["x"])), batch(&fixture));
    let start =
        || Perceptron { layers: layers(&fixture["parameters"]), activation: Activation::LeakyRelu, last: Last::Tanh };
    for (name, orthogonality) in [("fixed", Orthogonality::Fixed), ("through", Orthogonality::Through)] {
        let network = start();
        let outputs = network.forward(x.view());
        let own = Moments::of(outputs.last().view(), &batch, false);
        let loss = spectral_loss(&own, &own, apart(orthogonality));
        let inner = through(outputs.last().view(), &batch, &own, &own.energy, apart(orthogonality));
        let found = network.backward(x.view(), &outputs, loss.gradient + inner);
        assert!(near(loss.value, fixture[name]["loss"].as_f64().unwrap(), 1e-5));
        for (found, wanted) in found.iter().zip(layers(&fixture[name]["gradients"])) {
            let pairs = found.matrix.iter().zip(&wanted.matrix).chain(found.bias.iter().zip(&wanted.bias));
            let most = wanted.matrix.iter().fold(0.0f32, |a, x| a.max(x.abs()));
            for (a, b) in pairs {
                assert!((a - b).abs() < 2e-5 * most.max(1.0), "{name}: {a} {b}");
            }
        }
    }
    let params = SpectralNetParams { learning_rate: Some(1e-3), centered: false, ..SpectralNetParams::default() };
    let mut training = Training::new(&params, Network::plain(start()), 1);
    training.step(x.view(), &batch, None);
    for (found, wanted) in training.network.head.layers.iter().zip(layers(&fixture["through"]["after"])) {
        assert!(found.matrix.iter().zip(&wanted.matrix).all(|(a, b)| (a - b).abs() < 2e-6));
        assert!(found.bias.iter().zip(&wanted.bias).all(|(a, b)| (a - b).abs() < 2e-6));
    }
}

#[test]
fn gradients_of_every_term_are_those_of_finite_differences() {
    let fixture = fixture();
    let mut batch = batch(&fixture);
    batch.mass = Array1::from_shape_fn(24, |i| 0.5 + (i % 5) as f32 / 4.0);
    let outputs = matrix(&fixture["outputs"]);
    for (orthogonality, variance) in
        [(Orthogonality::Through, 0.0), (Orthogonality::Penalty, 0.0), (Orthogonality::Penalty, 2.0)]
    {
        let apart = Apart { orthogonality, penalty: 0.7, variance };
        let value = |y: &Array2<f64>| {
            let moments = Moments::of(narrow(y).view(), &batch, true);
            let kept = |g: f64| (1.0 - g.sqrt()).max(0.0).powi(2) / 4.0;
            let spread: f64 = moments.gram.diag().iter().map(|&g| kept(g)).sum();
            spectral_loss(&moments, &moments, apart).value + variance * spread
        };
        let y = if variance > 0.0 { &outputs * 0.3 } else { outputs.clone() };
        let moments = Moments::of(narrow(&y).view(), &batch, true);
        let loss = spectral_loss(&moments, &moments, apart);
        let gradient = loss.gradient + through(narrow(&y).view(), &batch, &moments, &moments.energy, apart);
        for (at, &found) in gradient.indexed_iter() {
            let moved = |by: f64| {
                let mut y = y.clone();
                y[at] += by;
                value(&y)
            };
            let slope = (moved(5e-3) - moved(-5e-3)) / 1e-2;
            assert!((f64::from(found) - slope).abs() < 2e-3 * slope.abs().max(0.5), "{at:?}: {found} {slope}");
        }
    }
}

/// Three bent chains of points, joined by a few weak edges, with their coordinates.
fn chains() -> RegionGraph {
    let n = 90u32;
    let place = |i: u32| {
        let (chain, t) = (i / 30, f64::from(i % 30) / 29.0);
        [t * 3.0, (t * 4.0).sin() * 0.5 + 1.5 * f64::from(chain)]
    };
    let mut edges = Vec::new();
    for u in 0..n {
        for v in u + 1..n {
            let apart = place(u).iter().zip(place(v)).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
            let weight = (-apart / 0.3).exp();
            if weight > 1e-4 {
                edges.push(([u, v], weight));
            }
        }
    }
    let (edges, weights) = edges.into_iter().unzip();
    let values = (0..n).flat_map(|i| place(i).map(|x| x as f32)).collect();
    let block = FeatureBlock { name: "points".into(), dims: 2, values, bins: Vec::new() };
    let affinity = SparseAffinity::new(n as usize, edges, weights).unwrap();
    RegionGraph::new(Affinity::Sparse(affinity)).with_features(vec![block]).unwrap()
}

/// Cosine of the largest principal angle between two spans of mass-orthonormal columns.
fn least_cosine(a: &Array2<f64>, b: &Array2<f64>, mass: &Array1<f64>) -> f64 {
    let normal = |y: &Array2<f64>| {
        let weighted = y * &mass.view().insert_axis(ndarray::Axis(1));
        let gram = y.t().dot(&weighted);
        y.dot(&orthonormal(gram.view()).weights)
    };
    let (a, b) = (normal(a), normal(b) * mass.view().insert_axis(ndarray::Axis(1)));
    let inner = a.t().dot(&b);
    // The smallest singular value of a 2×2 matrix.
    let (square, det) =
        (inner.iter().map(|x| x * x).sum::<f64>(), inner[[0, 0]] * inner[[1, 1]] - inner[[0, 1]] * inner[[1, 0]]);
    (0.5 * (square - (square * square - 4.0 * det * det).max(0.0).sqrt())).sqrt()
}

fn small() -> SpectralNetParams {
    SpectralNetParams {
        k: ClusterCount::Fixed(3),
        epochs: 150,
        steps: 0,
        batch: 1024,
        refit: true,
        squashed: false,
        learning_rate: Some(3e-3),
        ridge: 1e-4,
        ..SpectralNetParams::default()
    }
}

#[test]
fn full_batches_span_the_true_eigenspace() {
    let graph = chains();
    let found = SpectralNet::new(small()).unwrap().cluster(&graph, &Context::seeded(1)).unwrap();
    let labels = found.partition.labels();
    assert!((0..90).all(|i| labels[i] == labels[i / 30 * 30]), "{labels:?}");
    let mass = graph.affinity().degrees();
    let pencil = Pencil::of_graph(&graph, Laplacian::Normalized, 0.0).unwrap();
    let params = EigenParams { k: 3, ..EigenParams::default() };
    let spectrum = smallest(&pencil, &params, &Context::default()).unwrap();
    let cosine = least_cosine(&found.embedding.unwrap(), &spectrum.vectors.slice(s![.., 1..]).to_owned(), &mass);
    assert!(cosine > 0.995, "cosine of the largest principal angle: {cosine}");
    for (ritz, &value) in found.eigenvalues.unwrap().iter().zip(&spectrum.values[1..]) {
        assert!(*ritz > value - 1e-6 && *ritz < 1.1 * value + 1e-4, "{ritz} {value}");
    }
}

/// Keeps the state of every epoch in memory and hands out the last one.
#[derive(Default)]
struct Memory(Option<Vec<u8>>);

impl Checkpoint for Memory {
    fn kept(&mut self) -> Option<Vec<u8>> {
        self.0.clone()
    }

    fn keep(&mut self, state: &[u8]) -> Result<(), StageError> {
        self.0 = Some(state.to_vec());
        Ok(())
    }
}

fn saved(checkpoint: &mut dyn Checkpoint, context: &Context) -> Result<Vec<u8>, StageError> {
    let params = SpectralNetParams { epochs: 6, batch: 48, ..small() };
    let fitted = SpectralNet::new(params).unwrap().fit(&mut [chains()], checkpoint, context)?;
    let mut bytes = Vec::new();
    fitted.model.save(&mut bytes).unwrap();
    Ok(bytes)
}

#[test]
fn stopped_training_goes_on_to_the_same_model() {
    let whole = saved(&mut Unkept, &Context::seeded(3)).unwrap();
    let mut memory = Memory::default();
    let asked = AtomicUsize::new(0);
    let stop = move || if asked.fetch_add(1, Ordering::Relaxed) < 3 { Stop::No } else { Stop::Cancelled };
    let stopped = Context { stop: Some(Arc::new(stop)), ..Context::seeded(3) };
    assert!(matches!(saved(&mut memory, &stopped), Err(StageError::Stopped(Stop::Cancelled))));
    assert!(saved(&mut memory, &Context::seeded(3)).unwrap() == whole);
    let other = SpectralNetParams { hidden: Some(vec![32]), ..small() };
    assert!(SpectralNet::new(other).unwrap().fit(&mut [chains()], &mut memory, &Context::seeded(3)).is_err());
}

#[test]
fn a_point_alone_gets_the_label_that_it_has_among_others() {
    let bytes = saved(&mut Unkept, &Context::seeded(3)).unwrap();
    let model = SpectralNetModel::load(small(), &bytes).unwrap();
    let graph = chains();
    let all = model.cluster(&graph, &Context::default()).unwrap();
    assert_eq!(all, model.cluster(&graph, &Context::default()).unwrap());
    for node in [0, 31, 89] {
        let values = graph.features()[0].row(node).to_vec();
        let block = FeatureBlock { values, ..graph.features()[0].clone() };
        let alone = Affinity::Sparse(SparseAffinity::new(1, vec![], vec![]).unwrap());
        let alone = RegionGraph::new(alone).with_features(vec![block]).unwrap();
        let label = model.cluster(&alone, &Context::default()).unwrap().partition.labels()[0];
        assert_eq!(label, all.partition.labels()[node]);
    }
    let other = SpectralNetParams { k: ClusterCount::Fixed(4), ..small() };
    assert!(SpectralNetModel::load(other, &bytes).is_err());
    assert!(SpectralNetModel::load(small(), &bytes[..bytes.len() / 2]).is_err());
}

#[test]
fn a_repeated_feature_and_many_clusters_do_not_break_training() {
    let graph = chains();
    let params = SpectralNetParams { k: ClusterCount::Fixed(40), epochs: 3, ..small() };
    let found = SpectralNet::new(params).unwrap().cluster(&graph, &Context::seeded(2)).unwrap();
    assert_eq!(found.partition.n(), 90);
    let flat = FeatureBlock { name: "flat".into(), dims: 2, values: vec![1.0; 180], bins: Vec::new() };
    let flat = RegionGraph::new(graph.affinity().clone()).with_features(vec![flat]).unwrap();
    let found = SpectralNet::new(small()).unwrap().cluster(&flat, &Context::seeded(2)).unwrap();
    assert!(found.notes.iter().any(|note| matches!(note, Note::Collapsed { rank: 0, .. })), "{:?}", found.notes);
}

#[test]
fn neighbors_within_batches_need_no_edges() {
    let graph = chains();
    let none = Affinity::Sparse(SparseAffinity::new(90, vec![], vec![]).unwrap());
    let points = RegionGraph::new(none).with_features(graph.features().to_vec()).unwrap();
    let neighbors = Neighbors { n_neighbors: 4, sigmas: vec![2.0], ..Neighbors::default() };
    let params = SpectralNetParams { similarity: Similarity::Batch, validation: 0.2, neighbors, ..small() };
    for orthogonality in [Orthogonality::Fixed, Orthogonality::Through, Orthogonality::Penalty] {
        let net = SpectralNet::new(SpectralNetParams { orthogonality, ..params.clone() }).unwrap();
        assert!(!Clusterer::needs_edges(&net));
        let labels = net.cluster(&points, &Context::seeded(1)).unwrap().partition;
        let same = (0..90).filter(|&i| labels.labels()[i] == labels.labels()[i / 30 * 30 + 15]).count();
        assert!(same > 80, "{orthogonality:?} {same}");
    }
}

#[test]
fn a_graph_is_cut_by_its_own_ritz_vectors_merging_and_moved_centers() {
    let bytes = saved(&mut Unkept, &Context::seeded(3)).unwrap();
    let graph = chains();
    let labels = |params: SpectralNetParams| {
        let model = SpectralNetModel::load(params, &bytes).unwrap();
        model.cluster(&graph, &Context::seeded(1)).unwrap()
    };
    let whole = |labels: &[u32]| (0..90).all(|i| labels[i] == labels[i / 30 * 30]);
    for vectors in [Vectors::Model, Vectors::Graph] {
        for assign in [Assign::Kmeans, Assign::Merge, Assign::Adapted] {
            let params = SpectralNetParams { vectors, assign, ..small() };
            if vectors == Vectors::Graph && assign == Assign::Adapted {
                assert!(SpectralNet::new(params).unwrap_err().to_string().starts_with("cluster.vectors"));
                continue;
            }
            let found = labels(params);
            assert_eq!((found.partition.k(), found.tree.is_some()), (3, assign == Assign::Merge));
            assert!(whole(found.partition.labels()), "{vectors:?} {assign:?} {:?}", found.partition);
        }
    }
    // Four clusters of a model of three, where no centers are read.
    let four = SpectralNetParams { k: ClusterCount::Fixed(4), dims: Some(2), assign: Assign::Kmeans, ..small() };
    assert_eq!(labels(four).partition.k(), 4);
    let pencil = Pencil::of_graph(&graph, Laplacian::Normalized, 0.0).unwrap();
    let spectrum = smallest(&pencil, &EigenParams { k: 3, ..EigenParams::default() }, &Context::default()).unwrap();
    let own = labels(SpectralNetParams { vectors: Vectors::Graph, assign: Assign::Kmeans, ..small() });
    for (ritz, value) in own.eigenvalues.unwrap().iter().zip(&spectrum.values[1..]) {
        assert!(*ritz > value - 1e-6 && *ritz < 1.5 * value + 1e-2, "{ritz} {value}");
    }
}

#[test]
fn codes_and_siamese_places_take_part_and_are_kept() {
    let graph = chains();
    let training = Pretraining { epochs: 20, batch: 32, learning_rate: 3e-3, ..Pretraining::default() };
    let autoencoder = AutoencoderParams { hidden: vec![32], code: 2, training: training.clone() };
    let siamese = SiameseParams { hidden: vec![32], outputs: 4, n_neighbors: 2, training };
    let params =
        SpectralNetParams { autoencoder: Some(autoencoder), siamese: Some(siamese), hops: vec![0, 1], ..small() };
    let neighbors = Neighbors { n_neighbors: 4, ..Neighbors::default() };
    let params = SpectralNetParams { neighbors, relative: true, ..params };
    let net = SpectralNet::new(params.clone()).unwrap();
    let direct = net.cluster(&graph, &Context::seeded(1)).unwrap().partition;
    let fitted = net.fit(&mut [chains()], &mut Unkept, &Context::seeded(1)).unwrap();
    let mut bytes = Vec::new();
    fitted.model.save(&mut bytes).unwrap();
    let back = SpectralNetModel::load(params.clone(), &bytes).unwrap().cluster(&graph, &Context::default()).unwrap();
    assert_eq!(back.partition, direct);
    let same = (0..90).filter(|&i| direct.labels()[i] == direct.labels()[i / 30 * 30 + 15]).count();
    assert!(same > 70, "{same}");
    let refused = SpectralNet::new(SpectralNetParams { similarity: Similarity::Graph, ..params.clone() });
    assert!(refused.unwrap_err().to_string().starts_with("cluster.similarity"));
    let refused = SpectralNet::new(SpectralNetParams { hops: vec![], ..params });
    assert!(refused.unwrap_err().to_string().starts_with("cluster.hops"));
}

/// Nodes with these features and no edges.
fn points(dims: usize, values: Vec<f32>) -> RegionGraph {
    let n = values.len() / dims;
    let block = FeatureBlock { name: "points".into(), dims, values, bins: Vec::new() };
    let none = Affinity::Sparse(SparseAffinity::new(n, Vec::new(), Vec::new()).unwrap());
    RegionGraph::new(none).with_features(vec![block]).unwrap()
}

/// Share of the nodes that have the most frequent true label of their cluster.
fn purity(labels: &[u32], truth: impl Fn(usize) -> usize, k: usize) -> f64 {
    let mut counts = Array2::<usize>::zeros((k, k));
    labels.iter().enumerate().for_each(|(i, &label)| counts[[label as usize, truth(i)]] += 1);
    let most: usize = counts.rows().into_iter().map(|row| row.iter().copied().max().unwrap_or(0)).sum();
    most as f64 / labels.len() as f64
}

#[test]
fn sixty_clusters_do_not_collapse() {
    let (k, dims) = (60, 8);
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let centers = Array2::from_shape_simple_fn((k, dims), || 20.0 * random.random::<f32>());
    let values: Vec<f32> = (0..20 * k)
        .flat_map(|i| centers.row(i % k).to_vec())
        .map(|center| center + random.random::<f32>() - 0.5)
        .collect();
    let params = SpectralNetParams {
        k: ClusterCount::Fixed(k),
        hidden: Some(vec![64]),
        steps: 60,
        n_init: 3,
        ..SpectralNetParams::default()
    };
    let found = SpectralNet::new(params).unwrap().cluster(&points(dims, values), &Context::seeded(1)).unwrap();
    assert!(!found.notes.iter().any(|note| matches!(note, Note::Collapsed { .. })), "{:?}", found.notes);
    let pure = purity(found.partition.labels(), |i| i % k, k);
    assert!(pure > 0.9, "{pure}");
}

/// 6×6 pictures of a cross, a bar and a square, at drawn places.
fn drawings(count: usize) -> RegionGraph {
    let shapes: [&[[usize; 2]]; 3] = [
        &[[0, 1], [1, 0], [1, 1], [1, 2], [2, 1]],
        &[[0, 0], [0, 1], [0, 2], [0, 3]],
        &[[0, 0], [0, 1], [0, 2], [1, 0], [1, 2], [2, 0], [2, 1], [2, 2]],
    ];
    let mut random = ChaCha8Rng::seed_from_u64(9);
    let draw = |i: usize| {
        let (down, right) = (random.random_range(0..3), random.random_range(0..3));
        let mut cells = [0.0f32; 36];
        shapes[i % 3].iter().for_each(|[row, column]| cells[(row + down) * 6 + column + right] = 1.0);
        cells
    };
    points(36, (0..count).flat_map(draw).collect())
}

#[test]
fn convolutions_tell_drawings_that_move() {
    let neighbors = Neighbors { n_neighbors: 5, ..Neighbors::default() };
    let augmentation = AugmentationParams { noise: 0.1, brightness: 0.1, ..AugmentationParams::default() };
    let params = SpectralNetParams {
        convolution: Some(ConvolutionParams { channels: vec![8, 16], stride: 2 }),
        hidden: Some(vec![32]),
        steps: 60,
        neighbors,
        augmentation: Some(augmentation),
        ..small()
    };
    let (graph, net) = (drawings(240), SpectralNet::new(params.clone()).unwrap());
    let found = net.cluster(&graph, &Context::seeded(1)).unwrap();
    assert_eq!(found.partition.n(), 240);
    let mut memory = Memory::default();
    let fitted = net.fit(&mut [drawings(240)], &mut memory, &Context::seeded(1)).unwrap();
    let mut bytes = Vec::new();
    fitted.model.save(&mut bytes).unwrap();
    let back = SpectralNetModel::load(params.clone(), &bytes).unwrap().cluster(&graph, &Context::default()).unwrap();
    assert_eq!(back.partition, found.partition);
    // What was kept of the last epoch goes on to the same model.
    let again = net.fit(&mut [drawings(240)], &mut memory, &Context::seeded(1)).unwrap();
    let mut other = Vec::new();
    again.model.save(&mut other).unwrap();
    assert!(other == bytes);
    let wide = SpectralNetParams { shape: Some([6, 5, 1]), ..params.clone() };
    let error = SpectralNet::new(wide.clone()).unwrap().cluster(&graph, &Context::default()).unwrap_err();
    assert!(error.to_string().starts_with("36 features per node are no picture of 6×5×1"), "{error}");
    assert!(SpectralNetModel::load(wide, &bytes).is_err());
    let refused = SpectralNetParams { autoencoder: Some(AutoencoderParams::default()), ..params };
    assert!(SpectralNet::new(refused).unwrap_err().to_string().starts_with("cluster.autoencoder"));
}

#[test]
fn a_graph_encoder_reads_neighbours() {
    let graph = chains();
    for kind in [EncoderKind::Gat, EncoderKind::Gcn] {
        let encoder = GraphEncoderParams { kind, ..GraphEncoderParams::default() };
        let params = SpectralNetParams { graph_encoder: Some(encoder), hidden: Some(vec![32]), ..small() };
        let net = SpectralNet::new(params.clone()).unwrap();
        assert!(Clusterer::needs_edges(&net));
        let found = net.cluster(&graph, &Context::seeded(1)).unwrap();
        let pure = purity(found.partition.labels(), |i| i / 30, 3);
        assert!(pure > 0.9, "{kind:?} {pure}");
        let fitted = net.fit(&mut [chains()], &mut Unkept, &Context::seeded(1)).unwrap();
        let mut bytes = Vec::new();
        fitted.model.save(&mut bytes).unwrap();
        let back = SpectralNetModel::load(params.clone(), &bytes).unwrap().cluster(&graph, &Context::default());
        assert_eq!(back.unwrap().partition, found.partition);
        let alone = points(2, graph.features()[0].values.clone());
        let error = net.cluster(&alone, &Context::default()).unwrap_err();
        assert!(error.to_string().contains("reads edges"), "{error}");
        let batch = SpectralNetParams { similarity: Similarity::Batch, ..params };
        assert!(SpectralNet::new(batch).unwrap_err().to_string().starts_with("cluster.graph_encoder"));
    }
}
