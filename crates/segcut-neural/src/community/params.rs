//! What a community network can be told.

use segcut_core::{ClusterCount, StageError};
use serde::{Deserialize, Serialize};

/// How a layer reads the neighbours of a node; every layer but the last also reads the node itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EncoderKind {
    /// Graph convolution with a skip connection (Kipf & Welling 2017; Tsitsulin et al. 2023, section 4).
    #[default]
    Gcn,
    /// The mean of the neighbours (GraphSAGE, Hamilton et al. 2017).
    Sage,
    /// Neighbours weighted by attention of one head (Veličković et al. 2018, eq. 1 to 4).
    Gat,
    /// Not at all.
    Mlp,
}

/// What the network minimises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommunityLoss {
    /// −tr(CᵀBC) / 2m + collapse·(√k/n·‖Σᵢ Cᵢ‖ − 1), B the modularity matrix (DMoN, Tsitsulin et al. 2023, eq. 3).
    #[default]
    Modularity,
    /// −tr(SᵀAS) / tr(SᵀDS) + collapse·‖SᵀS/‖SᵀS‖ − I/√k‖ (Bianchi et al. 2020, eq. 9).
    Ncut,
    /// Σ w‖y − y'‖² / Σ w + collapse·‖YᵀDY / tr D − I‖²: edges are kept short, columns orthonormal; k-means follows.
    Edge,
}

/// From what the network starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommunityStart {
    /// k-means on the receptive fields, learned for `warm_up` steps.
    #[default]
    Kmeans,
    /// Its random weights.
    Random,
}

/// How outputs of the network become labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommunityAssign {
    /// The largest membership; k-means for the edge loss, which has none.
    #[default]
    Argmax,
    /// k-means on the last hidden layer, or on the embedding of the edge loss.
    Kmeans,
}

/// What chooses the number of communities where k is auto.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CountBy {
    /// The shortest description of edges and communities (Peixoto 2017): k-means on the receptive fields, improved by
    /// moves, with the shorter of two models, a rate of edges for every pair of communities or one within and one
    /// between. Where none is shorter than without communities, modularity with a tenth of the edges held out.
    #[default]
    Description,
    /// The same clusterings' modularity, the largest.
    Modularity,
    /// The silhouette of k-means, with distances to centers for mean distances.
    Silhouette,
    /// The largest gap of the normalized Laplacian's eigenvalues on the component of largest volume.
    Eigengap,
}

/// Widths that a layer or a field may have.
const WIDTHS: std::ops::RangeInclusive<usize> = 1..=16_384;

/// The farthest that a field may reach.
const MOST_HOPS: usize = 1000;

/// Parameters of [`Community`](super::Community); the defaults are ours, measured on Cora and on structure alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CommunityParams {
    /// Communities.
    pub k: ClusterCount,
    /// The most communities under `k = "auto"`; no more than three times the root of the nodes are tried.
    pub k_max: usize,
    /// What chooses k under `k = "auto"`.
    pub k_by: CountBy,
    /// Share of the edges that are held out while k is chosen: fields, clusterings and eigenvalues are those of the
    /// other edges, and modularity is that of the edges held out.
    pub k_held_out: f64,
    /// Names of the feature blocks that are attributes; empty: all means, side by side.
    pub features: Vec<String>,
    /// The receptive fields: how often attributes are averaged over neighbours, one field per number; empty: 4, 8
    /// and 16 times, without attributes 3. Without attributes 0 counts as 1.
    pub hops: Vec<usize>,
    /// Dimensions that each field keeps.
    pub dims: usize,
    /// How layers read neighbours.
    pub encoder: EncoderKind,
    /// Outputs of the hidden layers.
    pub hidden: Vec<usize>,
    /// Columns of the embedding of the edge loss.
    pub embedding: usize,
    /// What is minimised.
    pub loss: CommunityLoss,
    /// Factor of the loss's term against collapse.
    pub collapse: f64,
    /// Factor of the share of attributes that the communities' means leave unexplained; 0: structure only.
    pub reconstruction: f64,
    /// Factor of a second term against collapse: how far the outputs' standard deviations fall short of 1, or
    /// memberships' of those of even communities (Bardes, Ponce & LeCun 2022, VICReg, eq. 1); 0: none.
    pub variance: f64,
    /// From what the network starts.
    pub start: CommunityStart,
    /// Groups per community of a second start by k-means: they are joined where modularity and agreement gain most, and
    /// the start of larger modularity is kept. 1: there is none; 0: 1 with attributes, 4 without.
    pub start_groups: usize,
    /// Steps of learning the start.
    pub warm_up: usize,
    /// Bound on passes over the nodes.
    pub epochs: usize,
    /// Training ends when twice ten epochs have raised the labels' modularity by no more than this (the edge loss:
    /// lowered the loss by no more than this share); 0: never early.
    pub tolerance: f64,
    /// Step size of Adam.
    pub learning_rate: f64,
    /// Share of the hidden outputs that a training pass drops.
    pub dropout: f64,
    /// Graphs of more nodes are trained in mini-batches of sampled neighbours.
    pub whole_up_to: usize,
    /// Nodes that a mini-batch starts from.
    pub batch: usize,
    /// Neighbours of each that are sampled.
    pub neighbors: usize,
    /// How outputs become labels.
    pub assign: CommunityAssign,
    /// Sweeps of moves that raise modularity and agreement with the attributes; 0: none.
    pub refine_sweeps: usize,
    /// Factor of the mean cosine to the community's mean attributes, beside modularity, in those moves.
    pub refine_attributes: f64,
}

impl Default for CommunityParams {
    fn default() -> Self {
        Self {
            k: ClusterCount::Auto,
            k_max: 200,
            k_by: CountBy::Description,
            k_held_out: 0.0,
            features: Vec::new(),
            hops: Vec::new(),
            dims: 64,
            encoder: EncoderKind::Gcn,
            hidden: vec![64],
            embedding: 16,
            loss: CommunityLoss::Modularity,
            collapse: 0.1,
            reconstruction: 1.0,
            variance: 0.0,
            start: CommunityStart::Kmeans,
            start_groups: 0,
            warm_up: 30,
            epochs: 60,
            tolerance: 1e-3,
            learning_rate: 1e-2,
            dropout: 0.0,
            whole_up_to: 50_000,
            batch: 4096,
            neighbors: 10,
            assign: CommunityAssign::Argmax,
            refine_sweeps: 20,
            refine_attributes: 1.0,
        }
    }
}

impl CommunityParams {
    /// Outputs of the network for k communities.
    pub(super) fn outputs(&self, k: usize) -> usize {
        if self.loss == CommunityLoss::Edge { self.embedding } else { k }
    }

    /// How far the fields reach; nodes that differ in nothing but their names are told apart by their neighbours.
    pub(super) fn reaches(&self, names: bool) -> Vec<usize> {
        match (self.hops.as_slice(), names) {
            ([], false) => vec![4, 8, 16],
            ([], true) => vec![3],
            (hops, names) => hops.iter().map(|&hops| hops.max(usize::from(names))).collect(),
        }
    }

    /// Groups of k-means for k communities of n nodes.
    pub(super) fn groups(&self, names: bool, k: usize, n: usize) -> usize {
        let each = match (self.start_groups, names) {
            (0, false) => 1,
            (0, true) => 4,
            (each, _) => each,
        };
        k.saturating_mul(each).min(n / 2).max(k)
    }

    /// Refuses values out of range.
    pub(super) fn check(&self) -> Result<(), StageError> {
        let refuse = |name, value: &dyn std::fmt::Display, must| Err(StageError::parameter(name, value, must));
        if self.k == ClusterCount::Fixed(0) {
            return refuse("cluster.k", &0, "\"auto\" or at least 1");
        }
        let counts =
            [("cluster.k_max", self.k_max), ("cluster.batch", self.batch), ("cluster.neighbors", self.neighbors)];
        if let Some((name, value)) = counts.into_iter().find(|(_, value)| *value == 0) {
            return refuse(name, &value, "at least 1");
        }
        let widths = [("cluster.dims", self.dims), ("cluster.embedding", self.embedding)];
        let hidden = self.hidden.iter().map(|&size| ("cluster.hidden", size));
        if let Some((name, value)) = widths.into_iter().chain(hidden).find(|(_, value)| !WIDTHS.contains(value)) {
            return refuse(name, &value, "from 1 to 16384");
        }
        if let Some(hops) = self.hops.iter().find(|&&hops| hops > MOST_HOPS) {
            return refuse("cluster.hops", hops, "at most 1000");
        }
        let shares = [("cluster.dropout", self.dropout), ("cluster.k_held_out", self.k_held_out)];
        if let Some((name, value)) = shares.into_iter().find(|(_, value)| !(0.0..1.0).contains(value)) {
            return refuse(name, &value, "at least 0 and below 1");
        }
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return refuse("cluster.learning_rate", &self.learning_rate, "finite and above 0");
        }
        self.check_factors()
    }

    fn check_factors(&self) -> Result<(), StageError> {
        let factors = [
            ("cluster.collapse", self.collapse),
            ("cluster.variance", self.variance),
            ("cluster.reconstruction", self.reconstruction),
            ("cluster.tolerance", self.tolerance),
            ("cluster.refine_attributes", self.refine_attributes),
        ];
        match factors.into_iter().find(|(_, value)| !(value.is_finite() && *value >= 0.0)) {
            Some((name, value)) => Err(StageError::parameter(name, value, "finite and at least 0")),
            None => Ok(()),
        }
    }
}
