//! Large connected pencils to approximate eigenpairs without a factor of the whole: the two-level solution.

use super::EigenError;
use super::multigrid::{Coarsening, Coarsest, Cycle, add_interpolated};
use super::pairs::{Eigenpair, Pairs, Wanted, note};
use super::params::{EigenParams, Solver};
use super::rayleigh_ritz::{Blocks, rayleigh_ritz_of};
use super::row_blocks::{Row, WIDTH, squares};
use super::scaled::Scaled;
use super::shift_invert::shift_invert;
use super::smallest::{refuse_above, solve_connected};
use crate::pencil::Pencil;
use segcut_core::{Context, Status};
use std::f64::consts::PI;

/// Vectors beyond the wanted ones, so that few are missed on the coarsest level.
const GUARD: usize = 3;

/// Coarse nodes per vector.
const NODES_PER_VECTOR: usize = 30;

/// The share of the nodes that the coarsest level keeps of large graphs.
const KEPT: usize = 32;

/// Smoothing steps on every level.
const STEPS: usize = 5;

/// Smoothing damps the eigenvalues of diag⁻¹A from here to 2.
const SMOOTHED_FROM: f64 = 0.15;

/// Pencils with fewer times this many nodes than the coarsest level would have are solved as they are.
const COARSER: usize = 8;

/// The residual over λ_k at which that ends.
const LOOSE: f64 = 1e-3;

/// The shift of the correction as a share of the largest Rayleigh quotient.
const SHIFT: f64 = 0.03;

/// The eigenvectors of a coarse pencil, interpolated and smoothed from level to level, corrected once on all levels, and
/// their Rayleigh-Ritz pairs; small pencils by shift-invert, loosely.
///
/// As the first stage of cascadic multigrid (Urschel et al. 2015). The status is `IterationLimit` with the worst
/// residual over λ_k where that is above the tolerance.
pub(super) fn fast(pencil: &Pencil, wanted: Wanted, context: &Context) -> Result<Pairs, EigenError> {
    let a = Scaled::new(pencil);
    let columns = in_blocks(wanted.k + GUARD);
    let pairs = if pencil.n() <= COARSER * NODES_PER_VECTOR * columns {
        let loose = Wanted { tol: wanted.tol.max(LOOSE), certify: false, ..wanted };
        let silent = Context { detail: None, ..context.clone() };
        shift_invert(pencil, loose, None, &silent)?
    } else {
        refuse_above(wanted.max_bytes, Solver::Fast, bytes(pencil, columns, 3))?;
        let vectors = two_level(&a, (wanted.k, columns), context)?;
        let mut found = measured(&a, &vectors, wanted.k);
        found[0] = Eigenpair { value: 0.0, vector: a.null.clone(), residual: 0.0 };
        Pairs::new(found, Status::Converged, Solver::Fast)
    };
    let largest = pairs.values.last().copied().unwrap_or(0.0);
    let worst = pairs.residuals.iter().copied().fold(0.0, f64::max);
    let relative = if largest > 0.0 { worst / largest } else { 0.0 };
    let mut history = Vec::new();
    note(relative, 1, context, &mut history);
    let exact = worst <= a.allowed(largest, wanted);
    let status = match pairs.status {
        Status::Converged if !exact => Status::IterationLimit { residual: relative },
        status => status,
    };
    Ok(Pairs { status, history, certified: None, solver: Solver::Fast, ..pairs })
}

/// The first k Ritz vectors of the corrected start.
fn two_level(a: &Scaled<'_>, (k, columns): (usize, usize), context: &Context) -> Result<Blocks, EigenError> {
    let coarsening = coarsen(a.pencil, columns);
    let mut blocks = start(a, &coarsening, columns, context)?;
    correct(a, &coarsening, &mut blocks)?;
    Ok(rayleigh_ritz_of(a, &blocks)?.combined(&blocks, 0, k))
}

/// x ← x − B·(A·x − λ·x) with λ the Rayleigh quotient of each column and B a multigrid cycle: what smoothing leaves.
fn correct(a: &Scaled<'_>, coarsening: &Coarsening, blocks: &mut [Vec<Row>]) -> Result<(), EigenError> {
    let mut residual = vec![[0.0; WIDTH]; a.pencil.n()];
    let last = blocks.last().map_or([0.0; WIDTH], |block| quotients(a, block, &mut residual));
    let sigma = (SHIFT * last.iter().copied().fold(0.0, f64::max)).max(1e-9 * a.size);
    let coarsest = Coarsest::new(a.pencil, coarsening)?;
    let shifted = coarsest.shifted()?;
    let cycle = Cycle::new(a.pencil, coarsening, (&coarsest, &shifted), sigma)?;
    for block in blocks {
        let values = quotients(a, block, &mut residual);
        for (r, x) in residual.iter_mut().zip(block.iter()) {
            (0..WIDTH).for_each(|j| r[j] -= values[j] * x[j]);
        }
        let change = cycle.apply(&residual);
        for (x, change) in block.iter_mut().zip(change) {
            (0..WIDTH).for_each(|j| x[j] -= change[j]);
        }
    }
    Ok(())
}

/// xᵀA·x / xᵀx of every column, and A·x.
fn quotients(a: &Scaled<'_>, block: &[Row], product: &mut [Row]) -> Row {
    let (energies, squares) = (a.apply_rows(block, product), squares(block));
    std::array::from_fn(|j| if squares[j] > 0.0 { energies[j] / squares[j] } else { 0.0 })
}

/// The estimate of the bytes for so many sets of vectors.
pub(super) fn bytes(pencil: &Pencil, columns: usize, sets: u64) -> u64 {
    8 * pencil.n() as u64 * (sets * columns as u64 + 16) + 48 * pencil.edge_count() as u64
}

/// So many columns filled up to whole blocks.
pub(super) fn in_blocks(columns: usize) -> usize {
    columns.next_multiple_of(WIDTH)
}

/// Levels down to about thirty nodes per vector, or a thirty-second of all.
pub(super) fn coarsen(pencil: &Pencil, columns: usize) -> Coarsening {
    Coarsening::new(pencil, (NODES_PER_VECTOR * columns).max(pencil.n() / KEPT))
}

/// Smooth vectors on the finest level that span nearly the wanted space.
pub(super) fn start(
    a: &Scaled<'_>,
    coarsening: &Coarsening,
    columns: usize,
    context: &Context,
) -> Result<Blocks, EigenError> {
    let coarsest = coarsening.pencils.last().unwrap_or(a.pencil);
    let params = EigenParams { tol: 1e-3, certify: false, ..EigenParams::default() };
    let silent = Context { detail: None, progress: None, start: None, ..context.clone() };
    let pairs = solve_connected(coarsest, &params, columns, None, &silent)?;
    let mut blocks = side_by_side(coarsest.n(), &pairs.vectors);
    let dampings = dampings();
    let levels: Vec<Scaled<'_>> = coarsening.pencils.iter().map(Scaled::new).collect();
    for (level, group) in coarsening.groups.iter().enumerate().rev() {
        let fine = if level == 0 { a } else { &levels[level - 1] };
        let mut next = vec![[0.0; WIDTH]; fine.pencil.n()];
        for block in &mut blocks {
            let mut finer = vec![[0.0; WIDTH]; fine.pencil.n()];
            add_interpolated((fine, &levels[level]), group, 1.0, (block, &mut finer));
            for damping in dampings {
                fine.jacobi_rows(damping, None, &finer, &mut next);
                std::mem::swap(&mut finer, &mut next);
            }
            *block = finer;
        }
    }
    Ok(blocks)
}

/// The steps of a Chebyshev iteration: the inverse zeros of its polynomial (Varga 1962, section 5.1).
fn dampings() -> [f64; STEPS] {
    let (middle, half) = ((2.0 + SMOOTHED_FROM) / 2.0, (2.0 - SMOOTHED_FROM) / 2.0);
    std::array::from_fn(|i| (middle + half * (PI * (i as f64 + 0.5) / STEPS as f64).cos()).recip())
}

/// Columns in blocks, filled up with zero columns.
pub(super) fn side_by_side(n: usize, columns: &[Vec<f64>]) -> Blocks {
    let block = |columns: &[Vec<f64>]| {
        (0..n).map(|i| std::array::from_fn(|j| columns.get(j).map_or(0.0, |column| column[i]))).collect()
    };
    columns.chunks(WIDTH).map(block).collect()
}

/// The first k columns with their values and residuals.
pub(super) fn measured(a: &Scaled<'_>, blocks: &[Vec<Row>], k: usize) -> Vec<Eigenpair> {
    let mut pairs = Vec::with_capacity(k);
    let mut scratch = vec![[0.0; WIDTH]; a.pencil.n()];
    for block in blocks {
        let (values, residuals) = a.measure_rows(block, &mut scratch);
        for j in 0..WIDTH.min(k - pairs.len()) {
            let vector = block.iter().map(|row| row[j]).collect();
            pairs.push(Eigenpair { value: values[j], vector, residual: residuals[j] });
        }
    }
    pairs
}
