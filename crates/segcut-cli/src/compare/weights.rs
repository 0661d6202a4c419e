//! Affinities → how many weights lie where.

use crate::report::Histogram;
use segcut_core::Affinity;

/// Bars from −1 to 1, in shares of a graph's largest weight.
const BINS: usize = 40;

/// Pairs of a dense graph that are looked at, at most about; of more, whole rows are left out evenly.
const PAIRS: usize = 200_000;

/// The weights of one graph or of many, each as a share of its graph's largest magnitude; the diagonal is left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    counts: [usize; BINS],
    sum: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self { counts: [0; BINS], sum: 0.0 }
    }
}

impl Weights {
    /// The weights of one graph.
    pub fn of(affinity: &Affinity) -> Self {
        let values = values(affinity);
        let largest = values.iter().fold(0.0f64, |most, w| most.max(w.abs()));
        let mut found = Self::default();
        if largest > 0.0 {
            values.iter().for_each(|w| found.count(w / largest));
        }
        found
    }

    fn count(&mut self, share: f64) {
        let bin = ((share + 1.0) / 2.0 * BINS as f64) as usize;
        self.counts[bin.min(BINS - 1)] += 1;
        self.sum += share;
    }

    /// Adds those of another graph.
    pub fn add(&mut self, other: &Self) {
        self.counts.iter_mut().zip(other.counts).for_each(|(count, more)| *count += more);
        self.sum += other.sum;
    }

    /// The drawing; from 0 where no weight is negative. None without weights.
    pub fn histogram(&self, name: &str) -> Option<Histogram> {
        let total: usize = self.counts.iter().sum();
        let negative = self.counts[..BINS / 2].iter().any(|&count| count > 0);
        let (low, counts) = if negative { (-1.0, &self.counts[..]) } else { (0.0, &self.counts[BINS / 2..]) };
        (total > 0).then(|| Histogram::of_counts(name, [low, 1.0], counts, self.sum / total as f64))
    }
}

fn values(affinity: &Affinity) -> Vec<f64> {
    match affinity {
        Affinity::Sparse(sparse) => sparse.weights().to_vec(),
        Affinity::Gram(gram) => {
            let n = affinity.n();
            let step = (n * n / 2).div_ceil(PAIRS).max(1);
            let row = |i: usize| (i + 1..n).map(move |j| gram.weight(i, j));
            (0..n).step_by(step).flat_map(row).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use segcut_core::{GramAffinity, SparseAffinity};

    #[test]
    fn weights_are_counted_as_shares_of_the_largest() {
        let edges = SparseAffinity::new(3, vec![[0, 1], [0, 2], [1, 2]], vec![4.0, 1.0, 0.0]).unwrap();
        let mut weights = Weights::of(&Affinity::Sparse(edges));
        let drawn = weights.histogram("a").unwrap();
        let counts: Vec<usize> = drawn.bars.iter().map(|bar| bar.count).collect();
        assert_eq!((drawn.range, counts.len()), ([0.0, 1.0], 20));
        assert_eq!((counts[0], counts[5], counts[19]), (1, 1, 1));
        let factors = array![[1.0f32, 0.0], [-1.0, 0.0], [0.0, 1.0]];
        let gram = GramAffinity { factors, clip: false, shift: 0.0, diagonal: None };
        weights.add(&Weights::of(&Affinity::Gram(gram)));
        let drawn = weights.histogram("b").unwrap();
        assert_eq!((drawn.range, drawn.bars.len(), drawn.bars[0].count), ([-1.0, 1.0], 40, 1));
        assert_eq!(drawn.bars.iter().map(|bar| bar.count).sum::<usize>(), 6);
    }

    #[test]
    fn graphs_without_weights_have_no_drawing() {
        let none = Affinity::Sparse(SparseAffinity::new(2, vec![], vec![]).unwrap());
        assert_eq!(Weights::of(&none).histogram("a"), None);
    }
}
