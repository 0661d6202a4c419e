//! From which affinity on two nodes want to be together.

use segcut_core::{Affinity, GramAffinity};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The affinity that counts as zero; above it two nodes attract each other, below they repel.
///
/// Written as a number, as `"auto"` or as a table: `{ quantile = 0.4 }`, `{ alpha = 3.0 }`.
///
/// ```
/// use segcut_multicut::Bias;
/// assert_eq!(Bias::default(), Bias::Auto);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum Bias {
    /// Halfway between the means of the strong and the weak edges, as told apart by Otsu's threshold (1979); 0 where
    /// edges of a list have negative weights, which say themselves that two nodes repel.
    #[default]
    Auto,
    /// This affinity.
    Fixed(f64),
    /// This quantile of the edges' weights, from 0 to 1.
    Quantile(f64),
    /// The largest weight, the diagonal included, divided by this: the "k-sensitivity" of Aflalo et al. (2023).
    Alpha(f64),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "bias must be a number, \"auto\", { quantile = … } or { alpha = … }")]
enum Written {
    Number(f64),
    Word(String),
    Table(BTreeMap<String, f64>),
}

const EXPECTED: &str = "bias must be a number, \"auto\", { quantile = 0 … 1 } or { alpha = above 0 }";

impl TryFrom<Written> for Bias {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        match written {
            Written::Number(bias) if bias.is_finite() => Ok(Self::Fixed(bias)),
            Written::Word(word) if word == "auto" => Ok(Self::Auto),
            Written::Table(table) => {
                match table.iter().map(|(key, &value)| (key.as_str(), value)).collect::<Vec<_>>()[..] {
                    [("quantile", share)] if (0.0..=1.0).contains(&share) => Ok(Self::Quantile(share)),
                    [("alpha", alpha)] if alpha > 0.0 && alpha.is_finite() => Ok(Self::Alpha(alpha)),
                    _ => Err(EXPECTED),
                }
            }
            _ => Err(EXPECTED),
        }
    }
}

impl From<Bias> for Written {
    fn from(bias: Bias) -> Self {
        let table = |key: &str, value| Self::Table(BTreeMap::from([(key.to_owned(), value)]));
        match bias {
            Bias::Auto => Self::Word("auto".into()),
            Bias::Fixed(bias) => Self::Number(bias),
            Bias::Quantile(share) => table("quantile", share),
            Bias::Alpha(alpha) => table("alpha", alpha),
        }
    }
}

/// Gram affinities beyond this many nodes are measured on every so manieth row.
const SAMPLE: usize = 512;

impl Bias {
    /// The bias as a number. Of a Gram affinity, quantiles and Otsu's threshold are those of the pairs of at most
    /// 512 nodes, evenly spread.
    ///
    /// # Cost
    /// O(m·log m).
    pub fn of(self, affinity: &Affinity) -> f64 {
        match self {
            Self::Fixed(bias) => bias,
            Self::Alpha(alpha) => largest(affinity) / alpha,
            Self::Quantile(share) => quantile(sorted(affinity), share),
            Self::Auto if is_signed(affinity) => 0.0,
            Self::Auto => otsu(&sorted(affinity)),
        }
    }
}

fn is_signed(affinity: &Affinity) -> bool {
    matches!(affinity, Affinity::Sparse(sparse) if sparse.weights().iter().any(|&w| w < 0.0))
}

fn sorted(affinity: &Affinity) -> Vec<f64> {
    let mut weights = match affinity {
        Affinity::Sparse(sparse) => sparse.weights().to_vec(),
        Affinity::Gram(gram) => sampled(gram),
    };
    weights.sort_unstable_by(f64::total_cmp);
    weights
}

fn sampled(gram: &GramAffinity) -> Vec<f64> {
    let n = gram.factors.nrows();
    let nodes: Vec<usize> = (0..n.min(SAMPLE)).map(|i| i * n / n.min(SAMPLE)).collect();
    nodes.iter().enumerate().flat_map(|(at, &u)| nodes[at + 1..].iter().map(move |&v| gram.weight(u, v))).collect()
}

/// The largest weight, diagonal included; 0 without weights. Of a Gram affinity the diagonal is the largest entry
/// of a positive matrix (Cauchy & Schwarz), so only it is looked at where no other one is given.
fn largest(affinity: &Affinity) -> f64 {
    let diagonal = affinity.diagonal();
    let diagonal = diagonal.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let found = match affinity {
        Affinity::Sparse(sparse) => {
            let diagonal = if sparse.diagonal().is_some() { diagonal } else { f64::NEG_INFINITY };
            sparse.weights().iter().copied().fold(diagonal, f64::max)
        }
        Affinity::Gram(gram) if gram.diagonal.is_none() => diagonal,
        Affinity::Gram(gram) => sampled(gram).into_iter().fold(diagonal, f64::max),
    };
    if found.is_finite() { found } else { 0.0 }
}

fn quantile(sorted: Vec<f64>, share: f64) -> f64 {
    let at = (share * sorted.len().saturating_sub(1) as f64).round() as usize;
    sorted.get(at).copied().unwrap_or(0.0)
}

/// The mean of the two class means at the split that maximises the variance between them (Otsu 1979, eq. 18).
fn otsu(sorted: &[f64]) -> f64 {
    let total: f64 = sorted.iter().sum();
    let n = sorted.len() as f64;
    let (mut best, mut below) = ((f64::NEG_INFINITY, sorted.first().copied().unwrap_or(0.0)), 0.0);
    for (count, pair) in (1..).zip(sorted.windows(2)) {
        below += pair[0];
        let (low, high) = (below / f64::from(count), (total - below) / (n - f64::from(count)));
        let variance = f64::from(count) * (n - f64::from(count)) * (high - low).powi(2);
        if variance > best.0 && pair[0] < pair[1] {
            best = (variance, f64::midpoint(low, high));
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use segcut_core::SparseAffinity;

    fn path(weights: [f64; 4]) -> Affinity {
        Affinity::Sparse(SparseAffinity::new(5, vec![[0, 1], [1, 2], [2, 3], [3, 4]], weights.to_vec()).unwrap())
    }

    #[test]
    fn every_form_gives_its_number() {
        let graph = path([0.0, 0.2, 0.9, 1.1]);
        assert_eq!(Bias::Fixed(0.3).of(&graph), 0.3);
        assert_eq!(Bias::Quantile(0.0).of(&graph), 0.0);
        assert_eq!(Bias::Quantile(1.0).of(&graph), 1.1);
        assert!((Bias::Alpha(2.0).of(&graph) - 0.55).abs() < 1e-12);
        assert!((Bias::Auto.of(&graph) - 0.55).abs() < 1e-12);
        assert_eq!(Bias::Auto.of(&path([0.4; 4])), 0.4);
        assert_eq!([[-1.0; 4], [0.2, -0.1, 0.9, 1.1]].map(|signed| Bias::Auto.of(&path(signed))), [0.0; 2]);
        let none = Affinity::Sparse(SparseAffinity::new(2, vec![], vec![]).unwrap());
        assert_eq!([Bias::Auto, Bias::Quantile(0.5), Bias::Alpha(3.0)].map(|b| b.of(&none)), [0.0; 3]);
    }

    #[test]
    fn alpha_of_factors_reads_the_diagonal() {
        let gram = GramAffinity { factors: array![[1.0f32, 0.0], [0.0, 3.0]], clip: false, shift: 0.0, diagonal: None };
        assert_eq!(Bias::Alpha(3.0).of(&Affinity::Gram(gram)), 3.0);
    }

    #[test]
    fn written_forms_are_read_back() {
        for text in ["\"auto\"", "0.5", "{\"quantile\":0.4}", "{\"alpha\":3.0}"] {
            let bias: Bias = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&bias).unwrap(), text);
        }
        for text in ["\"median\"", "{\"alpha\":0.0}", "{\"quantile\":2.0}", "{}"] {
            assert!(serde_json::from_str::<Bias>(text).is_err(), "{text}");
        }
    }
}
