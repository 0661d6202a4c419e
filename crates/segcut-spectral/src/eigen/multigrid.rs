//! A pencil to coarser and coarser pencils, and a cycle through them that nearly solves A + σ.

use super::EigenError;
use super::aggregation::aggregate;
use super::cholesky::RowFactor;
use super::row_blocks::{Row, WIDTH};
use super::scaled::Scaled;
use super::shift_invert::elimination_order;
use super::shifted::Shifted;
use crate::pencil::Pencil;

/// The damping of Jacobi's iteration, for eigenvalues of diag⁻¹A up to 2.
const DAMPING: f64 = 0.6;

/// Constant interpolation underestimates corrections by about this factor (Braess 1995).
const OVERCORRECTION: f64 = 1.5;

/// Coarse pencils, the largest first; what they stand for in the one before.
pub(super) struct Coarsening {
    pub(super) pencils: Vec<Pencil>,
    /// groups[l][i]: the node of pencils[l] that node i of the pencil before belongs to.
    pub(super) groups: Vec<Vec<u32>>,
}

impl Coarsening {
    /// Aggregates until at most `enough` nodes are left, little is gained, or the next level would have less than half of
    /// them.
    pub(super) fn new(pencil: &Pencil, enough: usize) -> Self {
        let (mut pencils, mut groups) = (Vec::<Pencil>::new(), Vec::new());
        loop {
            let finest = pencils.last().unwrap_or(pencil);
            if finest.n() <= enough {
                break;
            }
            let (group, count) = aggregate(finest);
            if count * 10 > finest.n() * 9 || 2 * count < enough {
                break;
            }
            let coarse = finest.contracted(&group, count);
            pencils.push(coarse);
            groups.push(group);
        }
        Self { pencils, groups }
    }
}

/// uₗ = Mₗ^½ P Mₗ₊₁^-½ u: a coarse vector on the finer nodes, added in multiples of `factor`.
pub(super) fn add_interpolated(
    (fine, coarse): (&Scaled<'_>, &Scaled<'_>),
    group: &[u32],
    factor: f64,
    (from, to): (&[Row], &mut [Row]),
) {
    for ((to, &g), scale) in to.iter_mut().zip(group).zip(&fine.scale) {
        let weight = factor * coarse.scale[g as usize] / scale;
        to.iter_mut().zip(&from[g as usize]).for_each(|(to, from)| *to += weight * from);
    }
}

/// A V-cycle as a preconditioner: one damped Jacobi step before and after the correction of every level, the coarsest
/// level solved.
///
/// Symmetric and positive, so LOBPCG may use it.
pub(super) struct Cycle<'a> {
    levels: Vec<Scaled<'a>>,
    groups: &'a [Vec<u32>],
    /// order[new] = old on the coarsest level.
    order: Vec<u32>,
    factor: RowFactor<'a>,
}

/// The coarsest level in elimination order.
pub(super) struct Coarsest {
    order: Vec<u32>,
    permuted: Pencil,
}

impl Coarsest {
    pub(super) fn new(pencil: &Pencil, coarsening: &Coarsening) -> Result<Self, EigenError> {
        let coarsest = coarsening.pencils.last().unwrap_or(pencil);
        let order = elimination_order(coarsest)?;
        let permuted = coarsest.reordered(&order);
        Ok(Self { order, permuted })
    }

    /// Its symbolic factor.
    pub(super) fn shifted(&self) -> Result<Shifted<'_>, EigenError> {
        Shifted::new(&self.permuted)
    }
}

impl<'a> Cycle<'a> {
    pub(super) fn new(
        pencil: &'a Pencil,
        coarsening: &'a Coarsening,
        (coarsest, shifted): (&'a Coarsest, &'a Shifted<'a>),
        sigma: f64,
    ) -> Result<Self, EigenError> {
        let levels = std::iter::once(pencil).chain(&coarsening.pencils).map(Scaled::new).collect();
        let factor = shifted.factor(sigma)?.into_rows();
        Ok(Self { levels, groups: &coarsening.groups, order: coarsest.order.clone(), factor })
    }

    /// x ≈ (A + σ)⁻¹·b on the finest level.
    pub(super) fn apply(&self, b: &[Row]) -> Vec<Row> {
        self.descend(0, b)
    }

    fn descend(&self, level: usize, b: &[Row]) -> Vec<Row> {
        let Some(group) = self.groups.get(level) else { return self.solve_coarsest(b) };
        let (fine, coarse) = (&self.levels[level], &self.levels[level + 1]);
        // The first step starts from zero.
        let step = |d: &f64| if *d > 0.0 { DAMPING / d } else { 0.0 };
        let mut x: Vec<Row> = b.iter().zip(fine.diagonal.iter().map(step)).map(|(b, s)| b.map(|b| b * s)).collect();
        let mut residual = vec![[0.0; WIDTH]; b.len()];
        fine.residual_rows(b, &x, &mut residual);
        let mut restricted = vec![[0.0; WIDTH]; coarse.pencil.n()];
        for ((row, &g), scale) in residual.iter().zip(group).zip(&fine.scale) {
            let weight = coarse.scale[g as usize] / scale;
            restricted[g as usize].iter_mut().zip(row).for_each(|(to, from)| *to += weight * from);
        }
        let correction = self.descend(level + 1, &restricted);
        add_interpolated((fine, coarse), group, OVERCORRECTION, (&correction, &mut x));
        fine.jacobi_rows(DAMPING, Some(b), &x, &mut residual);
        residual
    }

    fn solve_coarsest(&self, b: &[Row]) -> Vec<Row> {
        let mut permuted: Vec<Row> = self.order.iter().map(|&i| b[i as usize]).collect();
        self.factor.solve(&mut permuted);
        let mut x = vec![[0.0; WIDTH]; b.len()];
        self.order.iter().zip(permuted).for_each(|(&i, row)| x[i as usize] = row);
        x
    }
}
