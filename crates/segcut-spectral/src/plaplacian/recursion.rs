//! Two-way cuts to k clusters, each split reported.

use super::criterion::Criterion;
use super::threshold::{Threshold, Valuation, cut_by};
use crate::eigen::EigenError;
use crate::pencil::Pencil;
use segcut_core::{Context, Status, Stop};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Up to so many nodes more sequences of splits are tried.
const SMALL: usize = 256;

/// Which cluster is split next, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recursion {
    /// As the authors' program: after the first split every cluster is cut where the larger part is smallest, and
    /// the split with the lowest sum of all parts is made.
    Reference,
    /// Cut and chosen by the criterion itself, and as the reference, each with and without polished sets; the sequence
    /// with the lowest value for k is kept, among equal ones that with the lowest values on the way. Graphs of up to 256
    /// nodes are also tried with the first cut by the other criterion, which may lead to a lower value later.
    #[default]
    Own,
}

/// The graph after one more split.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// The cluster of each node; the new cluster has the largest number.
    pub labels: Vec<u32>,
    /// Sum over clusters of cut/size: N-cut or ratio cut.
    pub cut: f64,
    /// Largest cut/size: Cheeger cut.
    pub cheeger: f64,
    /// The threshold on the vector of the cluster that was split.
    pub threshold: f64,
    /// cut/size of the two new clusters.
    pub parts: [f64; 2],
}

/// Candidate vectors that may cut one cluster.
#[derive(Debug, Clone)]
pub(crate) struct Candidates {
    pub(crate) vectors: Vec<Vec<f64>>,
    /// How many of them, from the first, are no product of a polish.
    pub(crate) unpolished: usize,
    pub(crate) status: Status,
}

/// Finds vectors that may cut a graph with at least two nodes.
pub(crate) trait Splitter {
    fn candidates(&self, graph: &Pencil, whole: bool, context: &Context) -> Result<Candidates, EigenError>;
}

/// What the recursion needs to know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecursionParams {
    pub(crate) k: usize,
    pub(crate) criterion: Criterion,
    pub(crate) threshold: Threshold,
    pub(crate) imbalance: f64,
    pub(crate) recursion: Recursion,
}

/// All splits up to k clusters (fewer where nothing can be split) and the worst status.
pub(crate) fn recurse(
    pencil: &Pencil,
    params: RecursionParams,
    splitter: &dyn Splitter,
    context: &Context,
) -> Result<(Vec<Split>, Status), EigenError> {
    let (known, first) = (BTreeMap::new(), params.criterion);
    let mut tree = Tree { pencil, params, splitter, context, known, status: Status::Converged, polished: true, first };
    let mut best = tree.run(params.recursion)?;
    if params.recursion == Recursion::Reference || params.k < 3 {
        return Ok((best, tree.status));
    }
    let firsts = match params.criterion {
        Criterion::Cut if pencil.n() <= SMALL => vec![Criterion::Cut, Criterion::Cheeger],
        Criterion::Cheeger if pencil.n() <= SMALL => vec![Criterion::Cheeger, Criterion::Cut],
        criterion => vec![criterion],
    };
    let recursions = [Recursion::Own, Recursion::Reference];
    for (first, polished, recursion) in
        firsts.iter().flat_map(|f| [true, false].map(|p| recursions.map(|r| (*f, p, r)))).flatten()
    {
        (tree.first, tree.polished) = (first, polished);
        let other = tree.run(recursion)?;
        if lower(params.criterion, &other, &best) {
            best = other;
        }
    }
    Ok((best, tree.status))
}

/// Whether a sequence of splits ends lower, or as low after lower values on the way.
fn lower(criterion: Criterion, a: &[Split], b: &[Split]) -> bool {
    let value = |split: &Split| if criterion == Criterion::Cheeger { split.cheeger } else { split.cut };
    let (Some(last_a), Some(last_b)) = (a.last().map(value), b.last().map(value)) else { return false };
    if a.len() != b.len() {
        return a.len() > b.len();
    }
    if (last_a - last_b).abs() > 1e-9 * last_b {
        return last_a < last_b;
    }
    let sum = |splits: &[Split]| splits.iter().map(value).sum::<f64>();
    sum(a) < sum(b) * (1.0 - 1e-9)
}

struct Tree<'a> {
    pencil: &'a Pencil,
    params: RecursionParams,
    splitter: &'a dyn Splitter,
    context: &'a Context,
    known: BTreeMap<Vec<u32>, Rc<Candidates>>,
    status: Status,
    /// Whether polished sets may cut.
    polished: bool,
    /// What the first threshold minimizes.
    first: Criterion,
}

/// A cluster with its best split.
struct Leaf {
    nodes: Vec<u32>,
    /// Weight to all other clusters over size.
    part: f64,
    split: Option<LeafSplit>,
}

struct LeafSplit {
    above: Vec<bool>,
    threshold: f64,
    parts: [f64; 2],
}

impl Tree<'_> {
    fn run(&mut self, recursion: Recursion) -> Result<Vec<Split>, EigenError> {
        let n = self.pencil.n();
        let mut leaves = vec![self.leaf((0..n as u32).collect(), 0.0, recursion, true)?];
        let mut labels = vec![0u32; n];
        let mut splits = Vec::new();
        while leaves.len() < self.params.k {
            let Some(chosen) = self.choose(&leaves, recursion) else { break };
            let Some(split) = leaves[chosen].split.take() else { break };
            let new = leaves.len() as u32;
            let side = |wanted: bool| {
                let both = leaves[chosen].nodes.iter().zip(&split.above);
                both.filter(|(_, a)| **a == wanted).map(|(&i, _)| i).collect::<Vec<u32>>()
            };
            let (lower, upper) = (side(false), side(true));
            upper.iter().for_each(|&i| labels[i as usize] = new);
            // The last clusters are not cut again.
            let more = leaves.len() + 1 < self.params.k;
            leaves[chosen] = self.leaf(lower, split.parts[0], recursion, more)?;
            leaves.push(self.leaf(upper, split.parts[1], recursion, more)?);
            splits.push(Split {
                labels: labels.clone(),
                cut: leaves.iter().map(|l| l.part).sum(),
                cheeger: leaves.iter().map(|l| l.part).fold(0.0, f64::max),
                threshold: split.threshold,
                parts: split.parts,
            });
            self.context.report("split", leaves.len() as f64 / self.params.k as f64);
        }
        Ok(splits)
    }

    /// The leaf whose split gives the lowest value, the first of equals.
    fn choose(&self, leaves: &[Leaf], recursion: Recursion) -> Option<usize> {
        let sum: f64 = leaves.iter().map(|l| l.part).sum();
        let mut best: Option<(usize, [f64; 2])> = None;
        for (index, leaf) in leaves.iter().enumerate() {
            let Some(split) = &leaf.split else { continue };
            let others = leaves.iter().enumerate().filter(|(i, _)| *i != index).map(|(_, l)| l.part);
            let largest = others.fold(split.parts[0].max(split.parts[1]), f64::max);
            let total = sum - leaf.part + split.parts[0] + split.parts[1];
            let by_largest = recursion == Recursion::Own && self.params.criterion == Criterion::Cheeger;
            let value = if by_largest { [largest, total] } else { [total, largest] };
            if best.is_none_or(|(_, least)| value < least) {
                best = Some((index, value));
            }
        }
        best.map(|(index, _)| index)
    }

    fn leaf(&mut self, nodes: Vec<u32>, part: f64, recursion: Recursion, cut: bool) -> Result<Leaf, EigenError> {
        let stopped = self.stopped();
        let split = if cut && nodes.len() > 1 && !stopped { self.split(&nodes, recursion)? } else { None };
        Ok(Leaf { nodes, part, split })
    }

    fn stopped(&mut self) -> bool {
        self.status = match (self.context.stopped(), self.status) {
            (Stop::No, _) => return false,
            (Stop::Cancelled, _) => Status::Cancelled,
            (Stop::TimedOut, _) => Status::TimedOut,
        };
        true
    }

    /// The best threshold over all candidate vectors, valued with the whole graph's sizes.
    fn split(&mut self, nodes: &[u32], recursion: Recursion) -> Result<Option<LeafSplit>, EigenError> {
        let first = nodes.len() == self.pencil.n();
        let mut place = vec![u32::MAX; self.pencil.n()];
        let graph = self.pencil.induced(nodes, &mut place);
        let mass: Vec<f64> = nodes.iter().map(|&i| self.pencil.mass()[i as usize]).collect();
        nodes.iter().for_each(|&i| place[i as usize] = 0);
        let outside: Vec<f64> = nodes.iter().map(|&i| outside_weight(self.pencil, i, &place)).collect();
        let criterion = match (first, recursion) {
            (true, _) => self.first,
            (false, Recursion::Own) => self.params.criterion,
            (false, Recursion::Reference) => Criterion::Cheeger,
        };
        let imbalance = self.params.imbalance;
        let valuation = Valuation { criterion, imbalance, mass: &mass, outside: Some(&outside) };
        let threshold = if first { self.params.threshold } else { Threshold::Best };
        let candidates = self.candidates(nodes, &graph)?;
        let mut best: Option<(f64, LeafSplit)> = None;
        let usable = if self.polished { candidates.vectors.len() } else { candidates.unpolished };
        for vector in &candidates.vectors[..usable] {
            let cut = cut_by(&graph, vector, threshold, &valuation);
            let better = best.as_ref().is_none_or(|(least, _)| cut.value < *least);
            if cut.value.is_finite() && better {
                best = Some((cut.value, LeafSplit { above: cut.above, threshold: cut.threshold, parts: cut.parts }));
            }
        }
        Ok(best.map(|(_, split)| split))
    }

    fn candidates(&mut self, nodes: &[u32], graph: &Pencil) -> Result<Rc<Candidates>, EigenError> {
        if let Some(found) = self.known.get(nodes) {
            return Ok(Rc::clone(found));
        }
        let whole = nodes.len() == self.pencil.n();
        let found = Rc::new(self.splitter.candidates(graph, whole, self.context)?);
        if self.status == Status::Converged {
            self.status = found.status;
        }
        self.known.insert(nodes.to_vec(), Rc::clone(&found));
        Ok(found)
    }
}

/// The weight from a node to nodes whose place is unset.
fn outside_weight(pencil: &Pencil, node: u32, place: &[u32]) -> f64 {
    let (neighbors, weights) = pencil.row(node as usize);
    neighbors.iter().zip(weights).filter(|&(&j, _)| place[j as usize] == u32::MAX).map(|(_, w)| w).sum()
}
