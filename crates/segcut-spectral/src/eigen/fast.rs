//! Large connected pencils to approximate eigenpairs without a factor of the whole: the two-level solution.

use super::EigenError;
use super::multigrid::{Coarsening, add_interpolated};
use super::pairs::{Eigenpair, Pairs, Wanted, note};
use super::params::{EigenParams, Solver};
use super::rayleigh_ritz::{Blocks, rayleigh_ritz_of};
use super::row_blocks::{Row, WIDTH};
use super::scaled::Scaled;
use super::smallest::{refuse_above, solve_connected};
use crate::pencil::Pencil;
use segcut_core::{Context, Status};
use std::f64::consts::PI;

/// Vectors beyond the wanted ones, so that none is missed on the coarsest level.
const GUARD: usize = 8;

/// Coarse nodes per vector.
const NODES_PER_VECTOR: usize = 30;

/// The share of the nodes that the coarsest level keeps of large graphs.
const KEPT: usize = 32;

/// Smoothing steps on every level.
const STEPS: usize = 5;

/// Smoothing damps the eigenvalues of diag⁻¹A from here to 2.
const SMOOTHED_FROM: f64 = 0.15;

/// The eigenvectors of a coarse pencil, interpolated and smoothed from level to level, and their Rayleigh-Ritz pairs.
///
/// As the first stage of cascadic multigrid (Urschel et al. 2015). The status is `IterationLimit` with the worst
/// residual over λ_k where that is above the tolerance.
pub(super) fn fast(pencil: &Pencil, wanted: Wanted, context: &Context) -> Result<Pairs, EigenError> {
    refuse_above(wanted.max_bytes, Solver::Fast, bytes(pencil, wanted.k, 3))?;
    let coarsening = coarsen(pencil, wanted.k);
    let a = Scaled::new(pencil);
    let blocks = start(&a, &coarsening, wanted, context)?;
    let vectors = rayleigh_ritz_of(&a, &blocks)?.combined(&blocks, 0, wanted.k);
    drop(blocks);
    let mut history = Vec::new();
    let mut found = measured(&a, &vectors, wanted.k);
    found[0] = Eigenpair { value: 0.0, vector: a.null.clone(), residual: 0.0 };
    let largest = found.last().map_or(0.0, |pair| pair.value);
    let worst = found.iter().map(|pair| pair.residual).fold(0.0, f64::max);
    let relative = if largest > 0.0 { worst / largest } else { 0.0 };
    note(relative, 1, context, &mut history);
    let exact = worst <= a.allowed(largest, wanted);
    let status = if exact { Status::Converged } else { Status::IterationLimit { residual: relative } };
    Ok(Pairs { history, ..Pairs::new(found, status, Solver::Fast) })
}

/// The estimate of the bytes for so many sets of vectors.
pub(super) fn bytes(pencil: &Pencil, k: usize, sets: u64) -> u64 {
    8 * pencil.n() as u64 * (sets * columns(k) as u64 + 16) + 48 * pencil.edge_count() as u64
}

fn columns(k: usize) -> usize {
    (k + GUARD).next_multiple_of(WIDTH)
}

/// Levels down to about thirty nodes per vector, or a thirty-second of all.
pub(super) fn coarsen(pencil: &Pencil, k: usize) -> Coarsening {
    Coarsening::new(pencil, (NODES_PER_VECTOR * columns(k)).max(pencil.n() / KEPT))
}

/// Smooth vectors on the finest level that span nearly the wanted space.
pub(super) fn start(
    a: &Scaled<'_>,
    coarsening: &Coarsening,
    wanted: Wanted,
    context: &Context,
) -> Result<Blocks, EigenError> {
    let coarsest = coarsening.pencils.last().unwrap_or(a.pencil);
    let params = EigenParams { tol: 1e-3, certify: false, ..EigenParams::default() };
    let silent = Context { detail: None, progress: None, start: None, ..context.clone() };
    let pairs = solve_connected(coarsest, &params, columns(wanted.k), None, &silent)?;
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
