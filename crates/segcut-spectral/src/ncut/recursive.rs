//! Two-way cuts, again and again.

use super::Ncut;
use super::kway::pack_components;
use crate::assign::{ThresholdCut, even_thresholds};
use crate::eigen::cholesky::minimum_degree;
use crate::eigen::shift_invert::shift_invert_in_order;
use crate::eigen::{EigenError, EigenParams, Solver, Wanted, solve_connected};
use crate::pencil::Pencil;
use segcut_core::{Clustering, Context, Note, Partition, StageError, Status};

/// Residuals and edges below this share of the threshold do not change which parts are cut.
const NEGLIGIBLE: f64 = 1e-6;

/// When and how parts are cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RecursiveParams {
    /// A part is cut no further where its best normalized cut is not below this.
    pub threshold: f64,
    /// Thresholds tried on the second eigenvector.
    pub num_cuts: usize,
    /// Where given, the cuts with the smallest values are made first, until there are this many parts.
    pub k: Option<usize>,
    /// The eigen-solver's settings; its `k` and `certify` are not used.
    pub eigen: EigenParams,
}

/// Graph → labels of its parts, numbered by their first nodes, and how the solver ended.
///
/// Shi & Malik 2000, section 3, in the form of scikit-image's `cut_normalized`: the second eigenvector u of
/// D^-½ (D − W) D^-½ (not divided by √d) is cut at `num_cuts` even thresholds; a part of up to two nodes is
/// kept, and a part of three is cut along √d, as there. Differs: a part that is disconnected,
/// but for weights of a millionth of the threshold, falls into its components at once, where scikit-image
/// thresholds arbitrary vectors of the numerical null space; and with `k`, the part with the smallest cut is cut
/// next, without threshold.
///
/// # Errors
/// [`EigenError`] where a factorization fails.
///
/// # Cost
/// One second eigenvector per part: a sparse factor and some twenty solves.
pub fn recursive_ncut(
    pencil: &Pencil,
    params: &RecursiveParams,
    context: &Context,
) -> Result<(Vec<u32>, Status), EigenError> {
    // A good elimination order of a graph is one of all its subgraphs: the fill of a part is within the whole's.
    let order = minimum_degree(pencil)?;
    let mut place = vec![u32::MAX; pencil.n()];
    let pencil = &pencil.induced(&order, &mut place);
    let mut cutter = Cutter { pencil, params, context, place, status: Status::Converged };
    let (mut open, mut done) = (Vec::new(), Vec::new());
    cutter.examine((0..pencil.n() as u32).collect(), &mut open, &mut done)?;
    while let Some(index) = cutter.choose(&open, done.len()) {
        let part = open.swap_remove(index);
        for side in [false, true] {
            let chosen = part.nodes.iter().zip(&part.cut.above).filter(|&(_, &above)| above == side);
            let nodes: Vec<u32> = chosen.map(|(&node, _)| node).collect();
            cutter.examine(nodes, &mut open, &mut done)?;
        }
    }
    let mut labels = vec![0; pencil.n()];
    for (label, nodes) in open.iter().map(|part| &part.nodes).chain(&done).enumerate() {
        nodes.iter().for_each(|&i| labels[order[i as usize] as usize] = label as u32);
    }
    Ok((Partition::compact(&labels).labels().to_vec(), cutter.status))
}

/// A connected part that can be cut.
struct Part {
    nodes: Vec<u32>,
    cut: ThresholdCut,
}

struct Cutter<'a> {
    pencil: &'a Pencil,
    params: &'a RecursiveParams,
    context: &'a Context,
    place: Vec<u32>,
    status: Status,
}

impl Cutter<'_> {
    /// The next part to cut, if any.
    fn choose(&mut self, open: &[Part], done: usize) -> Option<usize> {
        if self.stopped() {
            return None;
        }
        let Some(k) = self.params.k else {
            return open.len().checked_sub(1);
        };
        if open.len() + done >= k {
            return None;
        }
        let first = |part: &Part| part.nodes.first().copied();
        let order = |a: &Part, b: &Part| a.cut.ncut.total_cmp(&b.cut.ncut).then(first(a).cmp(&first(b)));
        open.iter().enumerate().min_by(|a, b| order(a.1, b.1)).map(|(index, _)| index)
    }

    fn stopped(&mut self) -> bool {
        let ended = self.context.ended();
        self.status = ended.unwrap_or(self.status);
        ended.is_some()
    }

    /// Files the connected pieces of a part with their best cuts.
    fn examine(&mut self, nodes: Vec<u32>, open: &mut Vec<Part>, done: &mut Vec<Vec<u32>>) -> Result<(), EigenError> {
        let limit = if self.params.k.is_some() { f64::INFINITY } else { self.params.threshold };
        let mut pieces = vec![nodes];
        while let Some(nodes) = pieces.pop() {
            let part = self.pencil.induced(&nodes, &mut self.place);
            let components = part.components_above(self.negligible());
            if components.len() > 1 {
                let global = |piece: Vec<u32>| piece.into_iter().map(|i| nodes[i as usize]).collect();
                pieces.extend(components.into_iter().map(global));
                continue;
            }
            let smallest = if self.params.k.is_some() { 2 } else { 3 };
            if nodes.len() < smallest {
                done.push(nodes);
                continue;
            }
            let vector = self.second_vector(&part)?;
            let cut = even_thresholds(&part, &vector, self.params.num_cuts);
            if cut.ncut < limit { open.push(Part { nodes, cut }) } else { done.push(nodes) }
        }
        Ok(())
    }

    /// Edges of up to this share of their ends' mass are cut at once: a cut through such edges alone is below this
    /// share times twice the largest number of neighbors, far below the threshold.
    fn negligible(&self) -> f64 {
        if self.params.k.is_some() { 0.0 } else { NEGLIGIBLE * self.params.threshold }
    }

    /// u₂ of a connected part.
    fn second_vector(&mut self, part: &Pencil) -> Result<Vec<f64>, EigenError> {
        if part.n() == 3 {
            // ARPACK can give one vector of three: the first, √d.
            return Ok(part.mass().iter().map(|m| m.sqrt()).collect());
        }
        let eigen = &self.params.eigen;
        let mut pairs = match eigen.solver {
            Solver::Auto | Solver::ShiftInvert => {
                let wanted = Wanted::of(eigen, 2, self.context.seed);
                let wanted = Wanted { floor: self.negligible(), certify: false, ..wanted };
                shift_invert_in_order(part, wanted, None, self.context)?
            }
            _ => solve_connected(part, eigen, 2, None, self.context)?,
        };
        if self.status == Status::Converged {
            self.status = pairs.status;
        }
        let mut vector = pairs.vectors.pop().unwrap_or_default();
        orient(&mut vector);
        Ok(vector)
    }
}

/// The entry of largest magnitude positive, the first one within rounding.
fn orient(vector: &mut [f64]) {
    let largest = vector.iter().fold(0.0f64, |a, x| a.max(x.abs()));
    let decides = vector.iter().find(|x| x.abs() >= largest * (1.0 - 1e-9));
    if decides.is_some_and(|&x| x < 0.0) {
        vector.iter_mut().for_each(|x| *x = -*x);
    }
}

impl Ncut {
    pub(super) fn recursive(&self, pencil: &Pencil, context: &Context) -> Result<Clustering, StageError> {
        let p = &self.params;
        let components = pencil.components();
        let k = p.k.fixed();
        let (labels, status) = match k {
            Some(k) if k < components.len() => (pack_components(pencil, &components, k), Status::Converged),
            _ => {
                let eigen = self.eigen_params(2);
                let params = RecursiveParams { threshold: p.threshold, num_cuts: p.num_cuts, k, eigen };
                recursive_ncut(pencil, &params, context)?
            }
        };
        let mut clustering = Clustering::converged(Partition::compact(&labels));
        clustering.status = status;
        let made = clustering.partition.k();
        match k {
            None => clustering.notes.push(Note::KChosen(made)),
            Some(asked) if made < asked => clustering.notes.push(Note::KReduced { asked, made }),
            Some(_) => {}
        }
        if components.len() > 1 {
            clustering.notes.push(Note::Components(components.len()));
        }
        Ok(clustering)
    }
}
