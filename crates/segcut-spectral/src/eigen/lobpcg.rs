//! Large connected pencils to eigenpairs without a factor of the whole: LOBPCG with a multigrid preconditioner.

use super::EigenError;
use super::fast::{bytes, coarsen, in_blocks, measured, start};
use super::multigrid::{Coarsest, Cycle};
use super::pairs::{Eigenpair, Pairs, Wanted, ended, note};
use super::params::Solver;
use super::rayleigh_ritz::{Blocks, images, rayleigh_ritz};
use super::row_blocks::{WIDTH, squares};
use super::scaled::Scaled;
use super::smallest::refuse_above;
use crate::pencil::Pencil;
use segcut_core::Context;

/// The preconditioner's shift as a share of λ_k.
const SHIFT: f64 = 0.03;

/// Vectors beyond the wanted ones, which speed up the last of them.
const GUARD: usize = 8;

/// Rounds without progress after which rounding errors are taken for the limit.
const PATIENCE: usize = 12;

/// The k smallest eigenpairs from the two-level solution on.
///
/// Knyazev 2001, with the space spanned by [`rayleigh_ritz`]'s basis, which stays orthonormal where the textbook's
/// breaks down (Hetmaniuk & Lehoucq 2006). Converged blocks are not preconditioned again. Nothing certifies that no
/// eigenvalue was missed.
pub(super) fn lobpcg(pencil: &Pencil, wanted: Wanted, context: &Context) -> Result<Pairs, EigenError> {
    refuse_above(wanted.max_bytes, Solver::Lobpcg, estimate(pencil, wanted.k))?;
    let columns = in_blocks(wanted.k + GUARD);
    let coarsening = coarsen(pencil, columns);
    let a = Scaled::new(pencil);
    let blocks = start(&a, &coarsening, columns, context)?;
    let products = images(&a, &blocks);
    let mut space = Space::new(blocks, products)?;
    let coarsest = Coarsest::new(pencil, &coarsening)?;
    let shifted = coarsest.shifted()?;
    let sigma = (SHIFT * space.values[wanted.k.min(space.values.len()) - 1]).max(1e-9 * a.size);
    let cycle = Cycle::new(pencil, &coarsening, (&coarsest, &shifted), sigma)?;
    let mut history = Vec::new();
    let status = loop {
        let residuals = space.residuals();
        let largest = space.values[wanted.k - 1];
        let allowed = a.allowed(largest, wanted);
        let worst = residuals.norms[..wanted.k].iter().copied().fold(0.0, f64::max);
        note(worst / largest, (history.len() + 1) * space.x.len() * WIDTH, context, &mut history);
        context.report("eigenvectors", (worst / allowed).max(1.0).log10().mul_add(-0.125, 1.0).clamp(0.0, 1.0));
        let at_limit = history.len() * WIDTH >= wanted.max_steps || stands_still(&history);
        if let Some(status) = ended(worst <= allowed, at_limit.then_some(worst / largest), context) {
            break status;
        }
        let active = |b: &usize| residuals.norms[b * WIDTH..].iter().take(WIDTH).any(|&r| r > 0.5 * allowed);
        let new: Blocks = (0..space.x.len()).filter(active).map(|b| cycle.apply(&residuals.blocks[b])).collect();
        drop(residuals);
        let products = images(&a, &new);
        space.improve(new, products)?;
    };
    let mut found = measured(&a, &space.x, wanted.k);
    found[0] = Eigenpair { value: 0.0, vector: a.null.clone(), residual: 0.0 };
    Ok(Pairs { history, ..Pairs::new(found, status, Solver::Lobpcg) })
}

/// The estimate of the bytes needed: vectors, corrections and directions with their images, and their successors.
pub(super) fn estimate(pencil: &Pencil, k: usize) -> u64 {
    bytes(pencil, in_blocks(k + GUARD), 9)
}

fn stands_still(history: &[f64]) -> bool {
    let best = |residuals: &[f64]| residuals.iter().copied().fold(f64::INFINITY, f64::min);
    let before = history.len().saturating_sub(PATIENCE);
    before > 0 && best(&history[before..]) > 0.9 * best(&history[..before])
}

/// Approximate eigenvectors X, the directions P of the last step, and their images.
struct Space {
    x: Blocks,
    ax: Blocks,
    p: Blocks,
    ap: Blocks,
    values: Vec<f64>,
}

struct Residuals {
    blocks: Blocks,
    /// Of every column.
    norms: Vec<f64>,
}

impl Space {
    fn new(blocks: Blocks, products: Blocks) -> Result<Self, EigenError> {
        let columns = blocks.len() * WIDTH;
        let projection = rayleigh_ritz(&blocks, &products)?;
        let x = projection.combined(&blocks, 0, columns);
        let ax = projection.combined(&products, 0, columns);
        Ok(Self { x, ax, p: Vec::new(), ap: Vec::new(), values: projection.values })
    }

    /// A·x − λ·x.
    fn residuals(&self) -> Residuals {
        let (mut blocks, mut norms) = (Vec::new(), Vec::new());
        for (b, (x, ax)) in self.x.iter().zip(&self.ax).enumerate() {
            let value = |j: usize| self.values.get(b * WIDTH + j).copied().unwrap_or(0.0);
            let values: [f64; WIDTH] = std::array::from_fn(value);
            let row = |(x, ax): (&[f64; WIDTH], &[f64; WIDTH])| std::array::from_fn(|j| ax[j] - values[j] * x[j]);
            let block: Vec<_> = x.iter().zip(ax).map(row).collect();
            norms.extend(squares(&block).map(f64::sqrt));
            blocks.push(block);
        }
        Residuals { blocks, norms }
    }

    /// The best vectors in the span of X, new directions and P.
    fn improve(&mut self, new: Blocks, products: Blocks) -> Result<(), EigenError> {
        let (wide, columns) = (self.x.len(), self.x.len() * WIDTH);
        let mut all = std::mem::take(&mut self.x);
        all.extend(new);
        all.append(&mut self.p);
        let mut images = std::mem::take(&mut self.ax);
        images.extend(products);
        images.append(&mut self.ap);
        let projection = rayleigh_ritz(&all, &images)?;
        self.x = projection.combined(&all, 0, columns);
        self.p = projection.combined(&all, wide, columns);
        drop(all);
        self.ax = projection.combined(&images, 0, columns);
        self.ap = projection.combined(&images, wide, columns);
        self.values = projection.values;
        self.values.truncate(columns);
        Ok(())
    }
}
