//! Pencil to sparse Cholesky factors of diagonal − S·W·S, on one thread.
//!
//! With S = M^-½ and the diagonal of M^-½ L M^-½ + σ·1 that is the shifted Laplacian.

use super::EigenError;
use super::elimination_tree::{EliminationTree, Pattern};
use super::ldlt::Ldlt;
use super::row_blocks::Row;
use super::supernodal_solve::PanelFactor;
use crate::pencil::Pencil;
use faer::dyn_stack::{MemBuffer, MemStack, StackReq};
use faer::linalg::cholesky::ldlt::factor::LdltRegularization;
use faer::linalg::cholesky::llt::factor::LltRegularization;
use faer::sparse::linalg::cholesky::supernodal::{SupernodalLdltRef, SupernodalLltRef, SymbolicSupernodalCholesky};
use faer::sparse::linalg::cholesky::{
    CholeskySymbolicParams, SymbolicCholesky, SymbolicCholeskyRaw, SymmetricOrdering, factorize_symbolic_cholesky,
};
use faer::sparse::linalg::{SupernodalThreshold, SymbolicSupernodalParams, amd};
use faer::sparse::{FaerError, SparseColMatRef, SymbolicSparseColMatRef};
use faer::{Conj, MatMut, Par, Side};

/// Supernodes of so many columns are merged where at most this share of the result is zeros: panels of four columns
/// are filled up with zeros anyway, and solutions are as fast as the factor is read.
const MERGED: &[(usize, f64)] = &[(4, 1.0), (12, 0.4), (48, 0.15), (usize::MAX, 0.05)];

/// Factors with fewer products per entry than this are computed row by row, the others by supernodes.
const SUPERNODAL_FROM: f64 = 60.0;

/// The structure of the factor of a pencil that stands in its elimination order already.
pub(crate) enum Analysis {
    /// Row by row.
    Simplicial(Pattern),
    /// By dense blocks, in faer.
    Supernodal(Box<Supernodal>),
}

/// The upper triangle in compressed columns, the diagonal first, and faer's symbolic factor.
pub(crate) struct Supernodal {
    column_starts: Vec<u32>,
    rows: Vec<u32>,
    symbolic: SymbolicCholesky<u32>,
}

impl Analysis {
    /// The symbolic factorization: the exact fill, before any arithmetic.
    pub(crate) fn new(pencil: &Pencil) -> Result<Self, EigenError> {
        if let Some(tree) = EliminationTree::new(pencil, 100 * pencil.n())
            && tree.products() < SUPERNODAL_FROM * (tree.factor_len() + pencil.n()) as f64
        {
            return Ok(Self::Simplicial(tree.pattern()));
        }
        Self::supernodal(pencil)
    }

    /// By dense blocks, whatever the fill.
    pub(super) fn supernodal(pencil: &Pencil) -> Result<Self, EigenError> {
        let (column_starts, rows) = upper_triangle(pencil);
        let structure =
            SymbolicSparseColMatRef::new_unsorted_checked(pencil.n(), pencil.n(), &column_starts, None, &rows);
        let params = CholeskySymbolicParams {
            supernodal_flop_ratio_threshold: SupernodalThreshold::FORCE_SUPERNODAL,
            supernodal_params: SymbolicSupernodalParams { relax: Some(MERGED) },
            ..CholeskySymbolicParams::default()
        };
        let symbolic = factorize_symbolic_cholesky(structure, Side::Upper, SymmetricOrdering::Identity, params)
            .map_err(EigenError::from_faer)?;
        Ok(Self::Supernodal(Box::new(Supernodal { column_starts, rows, symbolic })))
    }

    /// Bytes of the factor.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::Simplicial(pattern) => 16 * pattern.len() as u64,
            Self::Supernodal(supernodal) => 8 * supernodal.symbolic.len_val() as u64,
        }
    }

    /// The factor of diagonal − S·W·S, which must be positive definite.
    pub(crate) fn factorize(&self, pencil: &Pencil, scale: &[f64], diagonal: &[f64]) -> Result<Factor<'_>, EigenError> {
        match self {
            Self::Simplicial(pattern) => {
                let factor = Ldlt::new(pencil, scale, pattern, diagonal);
                if factor.is_positive() { Ok(Factor::Simplicial(factor)) } else { Err(EigenError::NotPositive) }
            }
            Self::Supernodal(supernodal) => supernodal.factorize(&upper_values(pencil, scale, diagonal)),
        }
    }

    /// How many eigenvalues of diagonal − S·W·S are negative: the negative pivots of LDLᵀ (Sylvester).
    ///
    /// `None` where a pivot vanishes, so that the count means nothing.
    pub(crate) fn count_negative(
        &self,
        pencil: &Pencil,
        scale: &[f64],
        diagonal: &[f64],
    ) -> Result<Option<usize>, EigenError> {
        match self {
            Self::Simplicial(pattern) => Ok(Ldlt::new(pencil, scale, pattern, diagonal).negative_pivots()),
            Self::Supernodal(supernodal) => supernodal.count_negative(&upper_values(pencil, scale, diagonal)),
        }
    }
}

impl Supernodal {
    fn factorize(&self, entries: &[f64]) -> Result<Factor<'_>, EigenError> {
        let mut values = vec![0.0; self.symbolic.len_val()];
        let mut memory = allocate(self.symbolic.factorize_numeric_llt_scratch::<f64>(Par::Seq, Default::default()))?;
        self.symbolic
            .factorize_numeric_llt(
                &mut values,
                self.matrix(entries),
                Side::Upper,
                LltRegularization::default(),
                Par::Seq,
                MemStack::new(&mut memory),
                Default::default(),
            )
            .map_err(|_| EigenError::NotPositive)?;
        Ok(Factor::Supernodal { symbolic: self.blocks().ok_or(EigenError::TooLarge)?, values })
    }

    fn count_negative(&self, entries: &[f64]) -> Result<Option<usize>, EigenError> {
        let mut values = vec![0.0; self.symbolic.len_val()];
        let mut memory = allocate(self.symbolic.factorize_numeric_ldlt_scratch::<f64>(Par::Seq, Default::default()))?;
        let done = self.symbolic.factorize_numeric_ldlt(
            &mut values,
            self.matrix(entries),
            Side::Upper,
            LdltRegularization::default(),
            Par::Seq,
            MemStack::new(&mut memory),
            Default::default(),
        );
        let Some(blocks) = self.blocks() else { return Ok(None) };
        if done.is_err() {
            return Ok(None);
        }
        let factor = SupernodalLdltRef::new(blocks, &values);
        let pivots = (0..blocks.n_supernodes()).flat_map(|k| {
            let block = factor.supernode(k).val();
            (0..block.ncols()).map(move |j| block[(j, j)])
        });
        let mut negative = 0;
        for pivot in pivots {
            if pivot == 0.0 || !pivot.is_finite() {
                return Ok(None);
            }
            negative += usize::from(pivot < 0.0);
        }
        Ok(Some(negative))
    }

    /// faer's structure by blocks, which is what was asked of it.
    fn blocks(&self) -> Option<&SymbolicSupernodalCholesky<u32>> {
        match self.symbolic.raw() {
            SymbolicCholeskyRaw::Supernodal(blocks) => Some(blocks),
            SymbolicCholeskyRaw::Simplicial(_) => None,
        }
    }

    fn matrix<'a>(&'a self, values: &'a [f64]) -> SparseColMatRef<'a, u32, f64> {
        let n = self.column_starts.len() - 1;
        let structure = SymbolicSparseColMatRef::new_unsorted_checked(n, n, &self.column_starts, None, &self.rows);
        SparseColMatRef::new(structure, values)
    }
}

/// A factor that solves.
pub(crate) enum Factor<'a> {
    /// L·D·Lᵀ row by row.
    Simplicial(Ldlt<'a>),
    /// L·Lᵀ by dense blocks.
    Supernodal {
        /// Its structure.
        symbolic: &'a SymbolicSupernodalCholesky<u32>,
        /// Its values.
        values: Vec<f64>,
    },
}

impl<'a> Factor<'a> {
    /// Solves in place for `columns` right-hand sides, one after the other in `x`.
    pub(crate) fn solve(&self, x: &mut [f64], columns: usize) -> Result<(), EigenError> {
        match self {
            Self::Simplicial(factor) => {
                let n = x.len() / columns.max(1);
                x.chunks_exact_mut(n.max(1)).for_each(|column| factor.solve(column.as_chunks_mut::<1>().0));
            }
            Self::Supernodal { symbolic, values } => {
                let mut memory = allocate(symbolic.solve_in_place_scratch::<f64>(columns, Par::Seq))?;
                let x = MatMut::from_column_major_slice_mut(x, symbolic.nrows(), columns);
                let factor = SupernodalLltRef::new(symbolic, values);
                factor.solve_in_place_with_conj(Conj::No, x, Par::Seq, MemStack::new(&mut memory));
            }
        }
        Ok(())
    }

    /// The same factor in the form that solves for four right-hand sides at a time.
    pub(crate) fn into_rows(self) -> RowFactor<'a> {
        match self {
            Self::Simplicial(factor) => RowFactor::Simplicial(factor),
            Self::Supernodal { symbolic, values } => RowFactor::Panels(PanelFactor::new(symbolic, &values)),
        }
    }
}

/// A factor that solves for four right-hand sides at a time.
pub(crate) enum RowFactor<'a> {
    /// L·D·Lᵀ row by row.
    Simplicial(Ldlt<'a>),
    /// L·Lᵀ by panels.
    Panels(PanelFactor<'a>),
}

impl RowFactor<'_> {
    /// Solves in place.
    pub(crate) fn solve(&self, x: &mut [Row]) {
        match self {
            Self::Simplicial(factor) => factor.solve(x),
            Self::Panels(factor) => factor.solve(x),
        }
    }
}

/// A fill-reducing elimination order: approximate minimum degree (Amestoy, Davis, Duff 1996).
pub(crate) fn minimum_degree(pencil: &Pencil) -> Result<Vec<u32>, EigenError> {
    let n = pencil.n();
    let (column_starts, rows) = upper_triangle(pencil);
    let structure = SymbolicSparseColMatRef::new_unsorted_checked(n, n, &column_starts, None, &rows);
    let (mut order, mut inverse) = (vec![0u32; n], vec![0u32; n]);
    let mut memory = allocate(amd::order_scratch::<u32>(n, rows.len()))?;
    amd::order(&mut order, &mut inverse, structure, amd::Control::default(), MemStack::new(&mut memory))
        .map_err(EigenError::from_faer)?;
    Ok(order)
}

/// The structure of the upper triangle in compressed columns, the diagonal first.
fn upper_triangle(pencil: &Pencil) -> (Vec<u32>, Vec<u32>) {
    let mut column_starts = Vec::with_capacity(pencil.n() + 1);
    let mut rows = Vec::new();
    column_starts.push(0);
    for j in 0..pencil.n() {
        rows.push(j as u32);
        rows.extend(pencil.row(j).0.iter().copied().filter(|&i| (i as usize) < j));
        column_starts.push(rows.len() as u32);
    }
    (column_starts, rows)
}

/// The values that belong to [`upper_triangle`]'s structure.
fn upper_values(pencil: &Pencil, scale: &[f64], diagonal: &[f64]) -> Vec<f64> {
    let mut values = Vec::new();
    for j in 0..pencil.n() {
        let (neighbors, weights) = pencil.row(j);
        values.push(diagonal[j]);
        let earlier = neighbors.iter().zip(weights).filter(|&(&i, _)| (i as usize) < j);
        values.extend(earlier.map(|(&i, &w)| -w * scale[i as usize] * scale[j]));
    }
    values
}

fn allocate(request: StackReq) -> Result<MemBuffer, EigenError> {
    MemBuffer::try_new(request).map_err(|_| EigenError::from_faer(FaerError::OutOfMemory))
}
