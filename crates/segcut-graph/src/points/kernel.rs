//! Distances of near points → weights.

use serde::{Deserialize, Serialize};

/// How a distance becomes a weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kernel {
    /// Gaussian for all pairs (rbf), connectivity otherwise: scikit-learn's affinities.
    #[default]
    Auto,
    /// 1.
    Connectivity,
    /// exp(−gamma · d²).
    Gaussian,
    /// exp(−d² / (s_u · s_v)), s the distance to the `scale_neighbor`-th nearest other point, at least a tenth of the
    /// mean of these (Zelnik-Manor & Perona 2004).
    Local,
}

/// Weight of a pair from its squared distance.
pub(super) enum Weighting {
    One,
    Gaussian(f64),
    Local(Vec<f64>),
}

impl Weighting {
    /// Local scales from the squared distances to the neighbour that sets them.
    pub(super) fn local(distances2: impl Iterator<Item = f64>) -> Self {
        let scales: Vec<f64> = distances2.map(f64::sqrt).collect();
        let floor = scales.iter().sum::<f64>() / scales.len().max(1) as f64 / 10.0;
        Self::Local(scales.into_iter().map(|scale| scale.max(floor)).collect())
    }

    pub(super) fn weight(&self, u: u32, v: u32, distance2: f64) -> f64 {
        let exponent = match self {
            Self::One => return 1.0,
            Self::Gaussian(gamma) => gamma * distance2,
            Self::Local(_) if distance2 == 0.0 => 0.0,
            Self::Local(scales) => distance2 / (scales[u as usize] * scales[v as usize]),
        };
        (-exponent).exp()
    }
}
