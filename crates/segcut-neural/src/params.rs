//! What may be chosen about DeepCut's network.

use crate::spread::Encoder;
use segcut_core::{ClusterCount, StageError};
use segcut_kernel::is_fast;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the network minimises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// −tr(SᵀWS) / tr(SᵀDS) + ‖SᵀS/‖SᵀS‖ − I/√K‖ (Bianchi et al. 2020).
    #[default]
    Ncut,
    /// −Σ over pairs of (w − c)·(SSᵀ), c = the largest weight / `alpha`.
    Correlation,
}

/// Which memberships become labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Labels {
    /// A pass after the last step, without dropout.
    #[default]
    Evaluation,
    /// The last training pass, with dropout, before its step: as published.
    Training,
}

/// In which numbers products with features and with factors of the affinity are taken, which are most of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// 32-bit floating point.
    #[default]
    F32,
    /// 16-bit whole numbers with a unit per row or column, summed in 32 bits: off by about 1e-5 of the product of both
    /// lengths; memberships after 100 epochs on 400 nodes were within 5e-4 of those of F32. Twice as fast on processors
    /// with AVX-512 VNNI; others take F32 instead. A network that learns from many graphs reads features in F32.
    I16,
}

/// How vectors that a caller gives as a start are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartVectors {
    /// As further features of the nodes, such as eigenvectors.
    #[default]
    Features,
    /// As memberships, one column per cluster, which the network learns first.
    Memberships,
}

/// Parameters of [`DeepCut`](crate::DeepCut); the defaults are ours, the recipes named after the paper set its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeepCutParams {
    /// Clusters; `"auto"`: at most `k_max`, clusters without nodes are left out.
    pub k: ClusterCount,
    /// The most clusters under `k = "auto"`.
    pub k_max: usize,
    /// What is minimised.
    pub objective: Objective,
    /// N-cut: the factor of the term that wants clusters of like sizes, ‖SᵀS/‖SᵀS‖ − I/√K‖; published: 1.
    pub balance: f64,
    /// Correlation: the largest weight is divided by this; larger values give fewer clusters.
    pub alpha: f64,
    /// Names of the feature blocks that the network reads; empty: all means, side by side.
    pub features: Vec<String>,
    /// Factor of a feature block, by its name; 1 where it is not named.
    pub scales: BTreeMap<String, f64>,
    /// Whether every feature is shifted and scaled to mean 0 and variance 1.
    pub standardize: bool,
    /// How a layer of the encoder reads a node and its neighbors.
    pub encoder: Encoder,
    /// Layers of the encoder; from the second on, neighbors are read again in every epoch.
    pub layers: usize,
    /// Outputs of an encoder layer and of the layer behind the encoder.
    pub hidden: [usize; 2],
    /// Share of the second layer's outputs that a training pass drops.
    pub dropout: f64,
    /// Step size of AdamW.
    pub learning_rate: f64,
    /// Weight decay of AdamW.
    pub weight_decay: f64,
    /// Bound on passes.
    pub epochs: usize,
    /// Training ends when the mean loss of ten epochs falls by less than this share; 0: never early.
    pub tolerance: f64,
    /// How vectors are read that the caller gives as a start.
    pub vectors: StartVectors,
    /// Epochs of learning the partition or the memberships that the caller gives as a start.
    pub warm_up: usize,
    /// Factor of the mean cross-entropy to them, added to the loss in every later epoch; 0: they are left behind.
    pub attachment: f64,
    /// Which memberships become labels.
    pub labels: Labels,
    /// Graphs per step, where one network learns from many.
    pub batch: usize,
    /// In which numbers products with features and factors are taken.
    pub precision: Precision,
}

impl Default for DeepCutParams {
    fn default() -> Self {
        Self {
            k: ClusterCount::Auto,
            k_max: 10,
            objective: Objective::Ncut,
            balance: 1.0,
            alpha: 3.0,
            features: Vec::new(),
            scales: BTreeMap::new(),
            standardize: true,
            encoder: Encoder::Gcn,
            layers: 1,
            hidden: [64, 32],
            dropout: 0.0,
            learning_rate: 1e-2,
            weight_decay: 0.01,
            epochs: 300,
            tolerance: 1e-4,
            vectors: StartVectors::Features,
            warm_up: 50,
            attachment: 0.0,
            labels: Labels::Evaluation,
            batch: 8,
            precision: Precision::F32,
        }
    }
}

impl DeepCutParams {
    /// Refuses parameters out of range.
    pub(crate) fn check(&self) -> Result<(), StageError> {
        let refuse = |name, value: &dyn std::fmt::Display, must| Err(StageError::parameter(name, value, must));
        let p = self;
        if p.k == ClusterCount::Fixed(0) {
            return refuse("cluster.k", &0, "\"auto\" or at least 1");
        }
        let counts = [
            ("cluster.k_max", p.k_max),
            ("cluster.epochs", p.epochs),
            ("cluster.layers", p.layers),
            ("cluster.batch", p.batch),
        ];
        let counts = counts.into_iter().chain(p.hidden.map(|size| ("cluster.hidden", size)));
        for (name, value) in counts {
            if value == 0 {
                return refuse(name, &value, "at least 1");
            }
        }
        if !(0.0..1.0).contains(&p.dropout) {
            return refuse("cluster.dropout", &p.dropout, "at least 0 and below 1");
        }
        for (name, value) in [("cluster.alpha", p.alpha), ("cluster.learning_rate", p.learning_rate)] {
            if !(value.is_finite() && value > 0.0) {
                return refuse(name, &value, "finite and above 0");
            }
        }
        for (name, value) in [
            ("cluster.weight_decay", p.weight_decay),
            ("cluster.tolerance", p.tolerance),
            ("cluster.balance", p.balance),
            ("cluster.attachment", p.attachment),
        ] {
            if !(value.is_finite() && value >= 0.0) {
                return refuse(name, &value, "finite and at least 0");
            }
        }
        Ok(())
    }

    /// Whether products are taken in whole numbers, on this processor.
    pub(crate) fn is_rounded(&self) -> bool {
        self.precision == Precision::I16 && is_fast()
    }

    /// Clusters of a graph of n nodes.
    pub(crate) fn clusters(&self, n: usize) -> usize {
        self.k.fixed().unwrap_or(self.k_max).min(n)
    }
}
