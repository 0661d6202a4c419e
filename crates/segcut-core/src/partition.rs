//! One cluster number per node.

use thiserror::Error;

/// A label that is not below k.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("node {node} has label {label}, which is not below k = {k}")]
pub struct PartitionError {
    /// The node.
    pub node: usize,
    /// Its label.
    pub label: u32,
    /// The number of clusters.
    pub k: usize,
}

/// The cluster of each of n nodes.
///
/// *Guarantees*: labels are below k.
///
/// *Not enforced*: that every cluster has a node (a stored model may have clusters that an image
/// lacks; an id then means the same cluster in every image of that model).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    labels: Vec<u32>,
    k: usize,
}

impl Partition {
    /// Checks and takes labels.
    ///
    /// # Errors
    /// [`PartitionError`] for the first label that is not below k.
    pub fn new(labels: Vec<u32>, k: usize) -> Result<Self, PartitionError> {
        match labels.iter().position(|&l| l as usize >= k) {
            Some(node) => Err(PartitionError { node, label: labels[node], k }),
            None => Ok(Self { labels, k }),
        }
    }

    /// Any labels, renumbered from 0 in the order of their first node.
    ///
    /// ```
    /// let p = segcut_core::Partition::compact(&[9, 4, 9]);
    /// assert_eq!((p.labels(), p.k()), (&[0, 1, 0][..], 2));
    /// ```
    pub fn compact(labels: &[u32]) -> Self {
        let mut names = std::collections::BTreeMap::new();
        let labels = labels
            .iter()
            .map(|&label| {
                let next = names.len() as u32;
                *names.entry(label).or_insert(next)
            })
            .collect();
        Self { labels, k: names.len() }
    }

    /// Every node a cluster of its own.
    pub fn singletons(n: usize) -> Self {
        Self { labels: (0..n as u32).collect(), k: n }
    }

    /// All nodes in one cluster.
    pub fn whole(n: usize) -> Self {
        Self { labels: vec![0; n], k: usize::from(n > 0) }
    }

    /// One label per node.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Labels are below this.
    pub fn k(&self) -> usize {
        self.k
    }

    /// Nodes.
    pub fn n(&self) -> usize {
        self.labels.len()
    }

    /// Nodes per cluster.
    pub fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.k];
        for &label in &self.labels {
            sizes[label as usize] += 1;
        }
        sizes
    }
}
