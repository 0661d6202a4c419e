//! The affinity of a grid → its smallest N-cut eigenvectors, from coarse to fine.

use super::grid_level::GridLevel;
use super::subspace_iteration::Subspace;
use crate::{EigenParams, Laplacian, Pencil, smallest};
use segcut_core::{Context, StageError, Stop};
use segcut_graph::GridAffinity;
use segcut_pixel::{LANES, Lanes};

/// Grids of up to this many cells are solved as any other graph.
const SMALL: usize = 256;

/// Grids of more cells than this are halved.
const COARSEST: usize = 1500;

/// Most iterations on the coarsest grid, and on each finer one.
const ROUNDS: [usize; 2] = [16, 3];

/// Values that change by less than this share have settled.
const SETTLED: f64 = 0.02;

/// Vectors beyond the wanted ones, which make those converge.
const GUARD: usize = 6;

/// Eigenvectors of a grid.
#[derive(Debug)]
pub(super) struct Embedding {
    /// Ascending, without the first one, which is 0.
    pub(super) values: Vec<f64>,
    /// Vectors v of L·v = λ·D·v: [`LANES`] of them per panel, one row per cell; unused lanes are 0.
    pub(super) panels: Vec<Vec<Lanes>>,
}

/// The `wanted` eigenvectors behind the constant one (fewer where there are fewer cells).
///
/// The grid is halved until it is small, its cells joined 2×2 (Arbeláez et al., Multiscale combinatorial grouping,
/// CVPR 2014, section 3, decimate the affinity alike), and each grid starts the iteration of the next finer one. The
/// vectors are good to a few percent, which is what a contour needs; values are Rayleigh quotients.
///
/// # Errors
/// A failed dense decomposition, or a stop that the caller asked for.
pub(super) fn smallest_of_grid(
    affinity: GridAffinity,
    wanted: usize,
    context: &Context,
) -> Result<Embedding, StageError> {
    let cells = affinity.rows() * affinity.cols();
    if cells <= SMALL.max(4 * wanted) {
        return by_pencil(&affinity, wanted, context);
    }
    let mut level = GridLevel::new(affinity);
    let mut finer = Vec::new();
    while level.n() > COARSEST.max(8 * wanted) {
        let half = level.halved();
        finer.push(std::mem::replace(&mut level, half));
    }
    let mut subspace = Subspace::random(&level, (wanted + GUARD).div_ceil(LANES), context.seed);
    settle(&mut subspace, wanted, ROUNDS[0], context)?;
    for level in finer.iter().rev() {
        subspace = subspace.refined(level);
        settle(&mut subspace, wanted, ROUNDS[1], context)?;
    }
    let (values, panels) = subspace.finish(wanted);
    Ok(Embedding { values, panels })
}

/// Iterates until the wanted values have settled.
fn settle(subspace: &mut Subspace<'_>, wanted: usize, rounds: usize, context: &Context) -> Result<(), StageError> {
    let mut before: Vec<f64> = Vec::new();
    for _ in 0..rounds {
        match context.stopped() {
            Stop::No => subspace.iterate()?,
            stop => return Err(StageError::Stopped(stop)),
        }
        let mut values = subspace.values();
        values.truncate(wanted);
        let same = |(new, old): (&f64, &f64)| (new - old).abs() <= SETTLED * new.abs().max(1e-5);
        if values.len() == before.len() && values.iter().zip(&before).all(same) {
            break;
        }
        before = values;
    }
    Ok(())
}

/// Small grids, by the room's own solver.
fn by_pencil(affinity: &GridAffinity, wanted: usize, context: &Context) -> Result<Embedding, StageError> {
    let sparse = affinity.sparse().map_err(StageError::data)?;
    let pencil = Pencil::new(&sparse, Laplacian::Normalized, 0.0)?;
    let spectrum = smallest(&pencil, &EigenParams { k: wanted + 1, ..EigenParams::default() }, context)?;
    let values: Vec<f64> = spectrum.values.iter().skip(1).copied().collect();
    let lane = |row: usize, column: usize| {
        if column < values.len() { spectrum.vectors[[row, column + 1]] as f32 } else { 0.0 }
    };
    let panel = |p: usize| (0..pencil.n()).map(|row| std::array::from_fn(|l| lane(row, p * LANES + l))).collect();
    let panels = (0..values.len().div_ceil(LANES)).map(panel).collect();
    Ok(Embedding { values, panels })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three regions of different sizes, weakly joined, with weights that vary inside.
    fn regions(size: [usize; 2]) -> GridAffinity {
        let region =
            |cell: usize| (usize::from(cell / size[1] * 3 > size[0]), usize::from(cell % size[1] * 2 > size[1]));
        GridAffinity::within(4.0, size, |a, b| {
            let inside = 0.5 + ((a * 31 + b * 17) % 13) as f32 / 26.0;
            if region(a) == region(b) { inside } else { 0.01 * inside }
        })
    }

    #[test]
    fn a_large_grid_has_the_eigenvectors_of_its_pencil() {
        let affinity = regions([45, 60]);
        let exact = by_pencil(&affinity, 12, &Context::default()).unwrap();
        let found = smallest_of_grid(affinity.clone(), 12, &Context::default()).unwrap();
        assert_eq!((found.values.len(), found.panels.len()), (12, 1));
        for (found, exact) in found.values.iter().zip(&exact.values) {
            assert!((found / exact - 1.0).abs() < 0.05, "{found} {exact}");
        }
        // The three smallest lie apart from the others: their vectors span the same space.
        let degrees = affinity.degrees();
        let inner = |a: &dyn Fn(usize) -> f64, b: &dyn Fn(usize) -> f64| -> f64 {
            (0..degrees.len()).map(|i| degrees[i] * a(i) * b(i)).sum()
        };
        for j in 0..3 {
            let new = |i: usize| f64::from(found.panels[0][i][j]);
            let projected: f64 =
                (0..3).map(|k| inner(&new, &|i| f64::from(exact.panels[0][i][k])).powi(2)).sum::<f64>()
                    / inner(&new, &new);
            assert!(projected > 0.999, "{projected}");
        }
    }

    #[test]
    fn threads_do_not_change_bytes() {
        let embedding = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let found = pool.install(|| smallest_of_grid(regions([50, 40]), 20, &Context::default())).unwrap();
            (found.values, found.panels)
        };
        assert_eq!(embedding(1), embedding(2));
    }

    #[test]
    fn more_vectors_than_cells() {
        let found = smallest_of_grid(regions([2, 3]), 20, &Context::default()).unwrap();
        assert_eq!((found.values.len(), found.panels[0].len()), (5, 6));
        assert!(smallest_of_grid(regions([1, 1]), 20, &Context::default()).unwrap().values.is_empty());
    }
}
