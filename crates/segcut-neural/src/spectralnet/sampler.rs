//! Training nodes → the batches of every epoch.

use super::batches::{Batch, Neighborhoods};
use super::kernel::batch_affinity;
use super::params::{Neighbors, SpectralNetParams};
use ndarray::{Array1, Array2, ArrayView2, Axis};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// What is known of the training nodes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'a> {
    /// What the network reads.
    pub(crate) x: ArrayView2<'a, f32>,
    /// Where neighbours within a batch are looked for.
    pub(crate) places: ArrayView2<'a, f32>,
    /// The graph, where the loss reads one.
    pub(crate) graph: Option<&'a Neighborhoods>,
}

/// The nodes with their similarities, part of them held out.
pub(crate) struct Sampler<'a> {
    params: &'a SpectralNetParams,
    rows: Rows<'a>,
    neighbors: Neighbors,
    seed: u64,
    train: Vec<u32>,
    held: Vec<u32>,
}

/// The stream of random numbers that holds out the validation part; epochs count from 0.
const HOLDING: u64 = u64::MAX;

impl<'a> Sampler<'a> {
    pub(crate) fn new(params: &'a SpectralNetParams, rows: Rows<'a>, seed: u64) -> Self {
        let n = rows.x.nrows();
        let all: Vec<u32> = (0..n as u32).collect();
        let neighbors = params.neighbors.clone();
        let mut sampler = Self { params, rows, neighbors, seed, train: all, held: Vec::new() };
        let share = (params.validation * n as f64).round() as usize;
        // Fewer could not be made orthonormal.
        if share > params.outputs() {
            sampler.held = sampler.groups(share, HOLDING).into_iter().next().unwrap_or_default();
            sampler.held.sort_unstable();
            let held = &sampler.held;
            sampler.train.retain(|node| held.binary_search(node).is_err());
        }
        sampler
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// The same nodes with another factor of the kernel's scale.
    pub(crate) fn with_sigma(mut self, sigma: f64) -> Self {
        self.neighbors.sigma = sigma;
        self
    }

    fn groups(&self, size: usize, stream: u64) -> Vec<Vec<u32>> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(stream);
        if let Some(graph) = self.rows.graph {
            return graph.stars(&self.train, size, self.params.reach, &mut random);
        }
        let mut order = self.train.clone();
        order.shuffle(&mut random);
        let size = order.len().div_ceil(order.len().div_ceil(size).max(1)).max(1);
        order.chunks(size).filter(|chunk| 2 * chunk.len() >= size).map(<[u32]>::to_vec).collect()
    }

    /// The groups of nodes of an epoch; the same for the same number.
    pub(crate) fn epoch(&self, epoch: usize) -> Vec<Vec<u32>> {
        self.groups(self.params.batch_size(), epoch as u64)
    }

    /// Groups as large as memory easily holds, to measure on.
    pub(crate) fn large(&self) -> Vec<Vec<u32>> {
        let size = if self.rows.graph.is_some() { 16_384 } else { self.params.batch_size().max(2048) };
        self.groups(size, HOLDING - 1)
    }

    /// The held out nodes, where there are some.
    pub(crate) fn validation(&self) -> Option<Batch> {
        (!self.held.is_empty()).then(|| self.batch(self.held.clone()))
    }

    /// Nodes → the edges between them.
    pub(crate) fn batch(&self, nodes: Vec<u32>) -> Batch {
        if let Some(graph) = self.rows.graph {
            return graph.batch(nodes);
        }
        let edges = batch_affinity(selected(self.rows.places, &nodes).view(), &self.neighbors);
        let mut mass = Array1::<f32>::ones(nodes.len());
        if self.params.normalized {
            mass.fill(0.0);
            for &(u, v, weight) in &edges {
                mass[u as usize] += weight;
                mass[v as usize] += weight;
            }
            let least = 1e-3 * mass.mean().unwrap_or(0.0);
            mass.mapv_inplace(|m| m.max(least).max(f32::MIN_POSITIVE));
        }
        Batch { nodes, edges, mass }
    }

    /// What the network reads of these nodes.
    pub(crate) fn rows(&self, nodes: &[u32]) -> Array2<f32> {
        selected(self.rows.x, nodes)
    }
}

fn selected(rows: ArrayView2<'_, f32>, nodes: &[u32]) -> Array2<f32> {
    let at: Vec<usize> = nodes.iter().map(|&u| u as usize).collect();
    rows.select(Axis(0), &at)
}
