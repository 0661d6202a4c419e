//! Pencil to sparse Cholesky factors of M^-½ (L + σM) M^-½, by faer on one thread.

use super::EigenError;
use crate::pencil::Pencil;
use faer::dyn_stack::{MemBuffer, MemStack, StackReq};
use faer::linalg::cholesky::ldlt::factor::LdltRegularization;
use faer::linalg::cholesky::llt::factor::LltRegularization;
use faer::sparse::linalg::cholesky::{
    CholeskySymbolicParams, LltRef, SymbolicCholesky, SymbolicCholeskyRaw, SymmetricOrdering,
    factorize_symbolic_cholesky, simplicial::SimplicialLltRef,
};
use faer::sparse::linalg::{amd, cholesky::supernodal::SupernodalLdltRef};
use faer::sparse::{FaerError, SparseColMatRef, SymbolicSparseColMatRef};
use faer::{Conj, MatMut, Par, Side};

/// The upper triangle of M^-½ L M^-½ in compressed columns, and the structure of its factor.
///
/// The pencil must stand in its elimination order already.
pub(crate) struct Analysis {
    column_starts: Vec<u32>,
    rows: Vec<u32>,
    values: Vec<f64>,
    symbolic: SymbolicCholesky<u32>,
}

impl Analysis {
    /// The symbolic factorization: the exact fill, before any arithmetic.
    pub(crate) fn new(pencil: &Pencil) -> Result<Self, EigenError> {
        let (column_starts, rows, values) = scaled_upper(pencil);
        let structure = SymbolicSparseColMatRef::new_unsorted_checked(pencil.n(), pencil.n(), &column_starts, None, &rows);
        let params = CholeskySymbolicParams::default();
        let symbolic = factorize_symbolic_cholesky(structure, Side::Upper, SymmetricOrdering::Identity, params)
            .map_err(EigenError::from_faer)?;
        Ok(Self { column_starts, rows, values, symbolic })
    }

    /// Stored values of the factor.
    pub(crate) fn factor_len(&self) -> usize {
        self.symbolic.len_val()
    }

    /// LLᵀ of the matrix + σ·1.
    pub(crate) fn factorize(&self, sigma: f64) -> Result<Cholesky<'_>, EigenError> {
        let shifted = self.shifted(sigma);
        let mut values = vec![0.0; self.factor_len()];
        let mut memory = allocate(self.symbolic.factorize_numeric_llt_scratch::<f64>(Par::Seq, Default::default()))?;
        self.symbolic
            .factorize_numeric_llt(
                &mut values,
                self.matrix(&shifted),
                Side::Upper,
                LltRegularization::default(),
                Par::Seq,
                MemStack::new(&mut memory),
                Default::default(),
            )
            .map_err(|_| EigenError::NotPositive)?;
        Ok(Cholesky { symbolic: &self.symbolic, values })
    }

    /// How many eigenvalues lie below μ: the negative pivots of LDLᵀ of the matrix − μ·1 (Sylvester).
    ///
    /// `None` where a pivot vanishes, so that the count means nothing.
    pub(crate) fn count_below(&self, mu: f64) -> Result<Option<usize>, EigenError> {
        let shifted = self.shifted(-mu);
        let mut values = vec![0.0; self.factor_len()];
        let mut memory = allocate(self.symbolic.factorize_numeric_ldlt_scratch::<f64>(Par::Seq, Default::default()))?;
        let done = self.symbolic.factorize_numeric_ldlt(
            &mut values,
            self.matrix(&shifted),
            Side::Upper,
            LdltRegularization::default(),
            Par::Seq,
            MemStack::new(&mut memory),
            Default::default(),
        );
        if done.is_err() {
            return Ok(None);
        }
        let pivots = self.pivots(&values);
        let sound = pivots.iter().all(|p| p.is_finite() && *p != 0.0);
        Ok(sound.then(|| pivots.iter().filter(|&&p| p < 0.0).count()))
    }

    fn pivots(&self, values: &[f64]) -> Vec<f64> {
        match self.symbolic.raw() {
            SymbolicCholeskyRaw::Simplicial(s) => {
                s.col_ptr()[..s.ncols()].iter().map(|&start| values[start as usize]).collect()
            }
            SymbolicCholeskyRaw::Supernodal(s) => {
                let factor = SupernodalLdltRef::new(s, values);
                let diagonals = (0..s.n_supernodes()).flat_map(|k| {
                    let block = factor.supernode(k).val();
                    (0..block.ncols()).map(move |j| block[(j, j)])
                });
                diagonals.collect()
            }
        }
    }

    fn shifted(&self, sigma: f64) -> Vec<f64> {
        let mut values = self.values.clone();
        for &start in &self.column_starts[..self.column_starts.len() - 1] {
            values[start as usize] += sigma;
        }
        values
    }

    fn matrix<'a>(&'a self, values: &'a [f64]) -> SparseColMatRef<'a, u32, f64> {
        let n = self.column_starts.len() - 1;
        let structure = SymbolicSparseColMatRef::new_unsorted_checked(n, n, &self.column_starts, None, &self.rows);
        SparseColMatRef::new(structure, values)
    }
}

/// A factor that solves.
pub(crate) struct Cholesky<'a> {
    symbolic: &'a SymbolicCholesky<u32>,
    values: Vec<f64>,
}

impl Cholesky<'_> {
    /// Solves in place for `columns` right-hand sides, one after the other in `x`.
    pub(crate) fn solve(&self, x: &mut [f64], columns: usize) -> Result<(), EigenError> {
        let n = self.symbolic.nrows();
        if let (SymbolicCholeskyRaw::Simplicial(s), 1) = (self.symbolic.raw(), columns) {
            let factor = SimplicialLltRef::new(s, &self.values);
            solve_simplicial(factor, x);
            return Ok(());
        }
        let mut memory = allocate(self.symbolic.solve_in_place_scratch::<f64>(columns, Par::Seq))?;
        let x = MatMut::from_column_major_slice_mut(x, n, columns);
        let factor = LltRef::new(self.symbolic, &self.values);
        factor.solve_in_place_with_conj(Conj::No, x, Par::Seq, MemStack::new(&mut memory));
        Ok(())
    }
}

/// Forward and backward substitution with a factor in compressed columns, the diagonal first.
fn solve_simplicial(factor: SimplicialLltRef<'_, u32, f64>, x: &mut [f64]) {
    let structure = factor.symbolic();
    let (starts, rows, values) = (structure.col_ptr(), structure.row_idx(), factor.values());
    for j in 0..x.len() {
        let range = starts[j] as usize..starts[j + 1] as usize;
        let (rows, values) = (&rows[range.clone()], &values[range]);
        let xj = x[j] / values[0];
        x[j] = xj;
        for (&i, &l) in rows[1..].iter().zip(&values[1..]) {
            x[i as usize] -= l * xj;
        }
    }
    for j in (0..x.len()).rev() {
        let range = starts[j] as usize..starts[j + 1] as usize;
        let (rows, values) = (&rows[range.clone()], &values[range]);
        let sum: f64 = rows[1..].iter().zip(&values[1..]).map(|(&i, &l)| l * x[i as usize]).sum();
        x[j] = (x[j] - sum) / values[0];
    }
}

/// A fill-reducing elimination order: approximate minimum degree (Amestoy, Davis, Duff 1996).
pub(crate) fn minimum_degree(pencil: &Pencil) -> Result<Vec<u32>, EigenError> {
    let n = pencil.n();
    let (column_starts, rows, _) = scaled_upper(pencil);
    let structure = SymbolicSparseColMatRef::new_unsorted_checked(n, n, &column_starts, None, &rows);
    let (mut order, mut inverse) = (vec![0u32; n], vec![0u32; n]);
    let mut memory = allocate(amd::order_scratch::<u32>(n, rows.len()))?;
    amd::order(&mut order, &mut inverse, structure, amd::Control::default(), MemStack::new(&mut memory))
        .map_err(EigenError::from_faer)?;
    Ok(order)
}

fn scaled_upper(pencil: &Pencil) -> (Vec<u32>, Vec<u32>, Vec<f64>) {
    let n = pencil.n();
    let scale: Vec<f64> = pencil.mass().iter().map(|m| m.sqrt().recip()).collect();
    let mut column_starts = Vec::with_capacity(n + 1);
    let (mut rows, mut values) = (Vec::new(), Vec::new());
    column_starts.push(0);
    for j in 0..n {
        let (neighbors, weights) = pencil.row(j);
        rows.push(j as u32);
        values.push(pencil.degree(j) * scale[j] * scale[j]);
        for (&i, &w) in neighbors.iter().zip(weights).filter(|&(&i, _)| (i as usize) < j) {
            rows.push(i);
            values.push(-w * scale[i as usize] * scale[j]);
        }
        column_starts.push(rows.len() as u32);
    }
    (column_starts, rows, values)
}

fn allocate(request: StackReq) -> Result<MemBuffer, EigenError> {
    MemBuffer::try_new(request).map_err(|_| EigenError::from_faer(FaerError::OutOfMemory))
}
