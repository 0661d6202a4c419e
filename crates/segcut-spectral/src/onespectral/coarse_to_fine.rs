//! Large graphs: vectors to a set with a low balanced cut, from a coarse graph to the finest.

use super::band::refined;
use super::coarsening::{Level, coarser_graphs};
use super::inverse_power::{CutSet, InversePower};
use crate::pencil::Pencil;
use crate::plaplacian::{Criterion, Threshold, Valuation, cut_by};
use segcut_core::Context;

/// Graphs with more nodes are searched from coarse to fine.
pub(crate) const LARGE: usize = 8000;
/// Nodes of the coarsest graph.
const COARSE: usize = 3000;

/// The levels of one large graph.
pub(crate) struct CoarseToFine<'a> {
    pencil: &'a Pencil,
    criterion: Criterion,
    levels: Vec<Level>,
}

impl<'a> CoarseToFine<'a> {
    pub(crate) fn new(pencil: &'a Pencil, criterion: Criterion) -> Self {
        Self { pencil, criterion, levels: coarser_graphs(pencil, COARSE) }
    }

    /// The coarsest graph.
    pub(crate) fn coarsest(&self) -> &Pencil {
        self.levels.last().map_or(self.pencil, |level| &level.graph)
    }

    /// A vector on the coarsest graph: means of the finer nodes, by mass.
    pub(crate) fn restricted(&self, vector: &[f64]) -> Vec<f64> {
        let mut fine = vector.to_vec();
        let mut mass = self.pencil.mass();
        for level in &self.levels {
            let mut coarse = vec![0.0; level.graph.n()];
            for ((&parent, x), m) in level.parent.iter().zip(&fine).zip(mass) {
                coarse[parent as usize] += m * x;
            }
            mass = level.graph.mass();
            coarse.iter_mut().zip(mass).for_each(|(x, m)| *x /= m.max(f64::MIN_POSITIVE));
            fine = coarse;
        }
        fine
    }

    /// A set of the coarsest graph on the finest, refined on every graph on the way.
    ///
    /// Dhillon, Guan & Kulis 2007 refine in the same order by kernel k-means; here each graph's set descends in a
    /// band about its border.
    pub(crate) fn prolonged(&self, coarse: &CutSet, context: &Context) -> CutSet {
        let mut set = coarse.clone();
        for index in (0..self.levels.len()).rev() {
            let graph = if index == 0 { self.pencil } else { &self.levels[index - 1].graph };
            let above = self.levels[index].parent.iter().map(|&c| set.above[c as usize]).collect();
            set = refined(graph, self.criterion, CutSet { above, ..set }, context);
        }
        set
    }

    /// The set that a vector's best threshold leads to, in a band about its border.
    pub(crate) fn thresholded(&self, vector: &[f64], by: Criterion, context: &Context) -> CutSet {
        let valuation = Valuation { criterion: by, imbalance: 0.0, mass: self.pencil.mass(), outside: None };
        let above = cut_by(self.pencil, vector, Threshold::Best, &valuation).above;
        let value = InversePower::new(self.pencil, self.criterion).value(&above);
        refined(self.pencil, self.criterion, CutSet { above, value }, context)
    }
}
