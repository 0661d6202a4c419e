//! Inner loops over tall blocks of four columns, stored row by row, with the vector instructions of the machine.
//!
//! Every loop holds the rows of a small matrix, or as many sums, in registers and broadcasts single numbers;
//! compilers do not find that form by themselves.

use pulp::{Simd, WithSimd};

/// Columns of a block.
pub(crate) const WIDTH: usize = 4;

/// One row of a block.
pub(crate) type Row = [f64; WIDTH];

/// A small square matrix, rows first.
pub(crate) type Small = [Row; WIDTH];

/// Rows that stay in the nearest cache while every block of a basis passes.
const CHUNK: usize = 256;

/// Runs a loop with vectors of up to [`WIDTH`] numbers.
#[cfg(target_arch = "x86_64")]
pub(super) fn dispatch<Op: WithSimd>(op: Op) -> Op::Output {
    match pulp::x86::V3::try_new() {
        Some(simd) => Simd::vectorize(simd, op),
        None => op.with_simd(pulp::Scalar),
    }
}

/// Runs a loop with the vectors of the machine.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn dispatch<Op: WithSimd>(op: Op) -> Op::Output {
    pulp::Arch::new().dispatch(op)
}

/// VᵀW for every block V of the basis.
pub(crate) fn products(basis: &[Vec<Row>], w: &[Row]) -> Vec<Small> {
    let mut sums = vec![[[0.0; WIDTH]; WIDTH]; basis.len()];
    dispatch(Products { basis, w, sums: &mut sums });
    sums
}

/// VᵀW for every block V of the basis and both blocks W, in one pass over the basis.
pub(crate) fn paired_products(basis: &[Vec<Row>], pair: [&[Row]; 2]) -> [Vec<Small>; 2] {
    let mut sums = [0, 1].map(|_| vec![[[0.0; WIDTH]; WIDTH]; basis.len()]);
    dispatch(PairedProducts { basis, pair, sums: &mut sums });
    sums
}

/// VᵀW.
pub(crate) fn product(v: &[Row], w: &[Row]) -> Small {
    let mut sum = [[0.0; WIDTH]; WIDTH];
    dispatch(Product { v, w, sum: &mut sum });
    sum
}

/// W ← W + sign·Σ V·C over the blocks V of the basis, for every W with its own C.
pub(crate) fn combine(sign: f64, basis: &[Vec<Row>], coefficients: &[Vec<Small>], w: &mut [&mut [Row]]) {
    dispatch(Combine { sign, basis, coefficients, w });
}

/// The first blocks of the basis ← Σ V·C over its blocks V, for as many as there are coefficients.
pub(crate) fn replace(basis: &mut [Vec<Row>], coefficients: &[Vec<Small>]) {
    dispatch(Replace { basis, coefficients });
}

/// W ← W·C.
pub(crate) fn multiply(w: &mut [Row], c: &Small) {
    dispatch(Multiply { w, c });
}

/// The sum of squares of every column.
pub(crate) fn squares(block: &[Row]) -> Row {
    let mut sums = [0.0; WIDTH];
    for row in block {
        for (sum, x) in sums.iter_mut().zip(row) {
            *sum += x * x;
        }
    }
    sums
}

struct Products<'a> {
    basis: &'a [Vec<Row>],
    w: &'a [Row],
    sums: &'a mut [Small],
}

impl WithSimd for Products<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (chunk, w) in self.w.chunks(CHUNK).enumerate() {
            for (sum, block) in self.sums.iter_mut().zip(self.basis) {
                Product { v: &block[chunk * CHUNK..][..w.len()], w, sum }.with_simd(simd);
            }
        }
    }
}

struct PairedProducts<'a> {
    basis: &'a [Vec<Row>],
    pair: [&'a [Row]; 2],
    sums: &'a mut [Vec<Small>; 2],
}

impl WithSimd for PairedProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let [first, second] = self.sums;
        let n = self.pair[0].len();
        for from in (0..n).step_by(CHUNK) {
            let rows = from..n.min(from + CHUNK);
            for (b, block) in self.basis.iter().enumerate() {
                let v = &block[rows.clone()];
                Product { v, w: &self.pair[0][rows.clone()], sum: &mut first[b] }.with_simd(simd);
                Product { v, w: &self.pair[1][rows.clone()], sum: &mut second[b] }.with_simd(simd);
            }
        }
    }
}

struct Product<'a> {
    v: &'a [Row],
    w: &'a [Row],
    sum: &'a mut Small,
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let w = S::as_simd_f64s(self.w.as_flattened()).0;
        let lanes = WIDTH / S::F64_LANES;
        for lane in 0..lanes {
            // Two sums of every second row: one would wait for its last addition.
            let mut sums = [[simd.splat_f64s(0.0); WIDTH]; 2];
            for (v, w) in self.v.chunks(2).zip(w.chunks(2 * lanes)) {
                for (i, v) in v.iter().enumerate() {
                    add_outer(simd, &mut sums[i], v, w[i * lanes + lane]);
                }
            }
            for (i, row) in self.sum.iter_mut().enumerate() {
                let own = &mut S::as_mut_simd_f64s(row).0[lane];
                *own = simd.add_f64s(*own, simd.add_f64s(sums[0][i], sums[1][i]));
            }
        }
    }
}

/// sums[i] ← sums[i] + factors[i]·row.
#[inline(always)]
pub(super) fn add_outer<S: Simd, const P: usize>(simd: S, sums: &mut [S::f64s; P], factors: &[f64; P], row: S::f64s) {
    for i in 0..P {
        sums[i] = simd.mul_add_f64s(simd.splat_f64s(factors[i]), row, sums[i]);
    }
}

/// row + Σ factors[i]·rows[i].
#[inline(always)]
pub(super) fn add_rows<S: Simd, const P: usize>(
    simd: S,
    rows: &[S::f64s; P],
    factors: &[f64; P],
    row: S::f64s,
) -> S::f64s {
    let mut sum = row;
    for i in 0..P {
        sum = simd.mul_add_f64s(simd.splat_f64s(factors[i]), rows[i], sum);
    }
    sum
}

struct Combine<'a, 'w> {
    sign: f64,
    basis: &'a [Vec<Row>],
    coefficients: &'a [Vec<Small>],
    w: &'a mut [&'w mut [Row]],
}

impl WithSimd for Combine<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let n = self.w.first().map_or(0, |w| w.len());
        for from in (0..n).step_by(CHUNK) {
            let rows = CHUNK.min(n - from);
            for (coefficients, w) in self.coefficients.iter().zip(self.w.iter_mut()) {
                add_multiples(simd, &mut w[from..from + rows], (self.basis, from), (coefficients, self.sign));
            }
        }
    }
}

struct Replace<'a> {
    basis: &'a mut [Vec<Row>],
    coefficients: &'a [Vec<Small>],
}

impl WithSimd for Replace<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let n = self.basis.first().map_or(0, Vec::len);
        let mut new = vec![[[0.0; WIDTH]; CHUNK]; self.coefficients.len()];
        for from in (0..n).step_by(CHUNK) {
            let rows = CHUNK.min(n - from);
            for (coefficients, new) in self.coefficients.iter().zip(&mut new) {
                *new = [[0.0; WIDTH]; CHUNK];
                add_multiples(simd, &mut new[..rows], (self.basis, from), (coefficients, 1.0));
            }
            for (block, new) in self.basis.iter_mut().zip(&new) {
                block[from..from + rows].copy_from_slice(&new[..rows]);
            }
        }
    }
}

/// w ← w + sign·Σ v·c over the rows of the blocks from one row on, two blocks at a time.
#[inline(always)]
fn add_multiples<S: Simd>(
    simd: S,
    w: &mut [Row],
    (basis, from): (&[Vec<Row>], usize),
    (coefficients, sign): (&[Small], f64),
) {
    let rows = from..from + w.len();
    let lanes = WIDTH / S::F64_LANES;
    let w = S::as_mut_simd_f64s(w.as_flattened_mut()).0;
    for (blocks, c) in basis.chunks(2).zip(coefficients.chunks(2)) {
        for lane in 0..lanes {
            let w = w.chunks_exact_mut(lanes);
            let first = lane_of(simd, &c[0], lane, sign);
            let v = &blocks[0][rows.clone()];
            if let ([_, other], [_, second]) = (blocks, c) {
                let second = lane_of(simd, second, lane, sign);
                for ((w, v), other) in w.zip(v).zip(&other[rows.clone()]) {
                    w[lane] = add_rows(simd, &second, other, add_rows(simd, &first, v, w[lane]));
                }
            } else {
                w.zip(v).for_each(|(w, v)| w[lane] = add_rows(simd, &first, v, w[lane]));
            }
        }
    }
}

/// One vector of every row of a small matrix, times a factor.
#[inline(always)]
fn lane_of<S: Simd>(simd: S, c: &Small, lane: usize, factor: f64) -> [S::f64s; WIDTH] {
    let mut rows = [simd.splat_f64s(0.0); WIDTH];
    for (row, c) in rows.iter_mut().zip(c) {
        *row = simd.mul_f64s(S::as_simd_f64s(c).0[lane], simd.splat_f64s(factor));
    }
    rows
}

struct Multiply<'a> {
    w: &'a mut [Row],
    c: &'a Small,
}

impl WithSimd for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = WIDTH / S::F64_LANES;
        let zero = simd.splat_f64s(0.0);
        let mut old = [[0.0; WIDTH]; 256];
        for w in self.w.chunks_mut(256) {
            let old = &mut old[..w.len()];
            old.copy_from_slice(w);
            let w = S::as_mut_simd_f64s(w.as_flattened_mut()).0;
            for lane in 0..lanes {
                let rows = lane_of(simd, self.c, lane, 1.0);
                for (w, old) in w.chunks_exact_mut(lanes).zip(old.iter()) {
                    w[lane] = add_rows(simd, &rows, old, zero);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_equal_plain_sums() {
        let n = 700;
        let block = |seed: usize| -> Vec<Row> {
            (0..n).map(|i| std::array::from_fn(|j| ((i * 7 + j * 3 + seed) as f64 * 0.37).sin())).collect()
        };
        let basis = [block(0), block(5)];
        let w = block(11);
        let sums = products(&basis, &w);
        let alone = product(&basis[1], &w);
        for i in 0..WIDTH {
            for j in 0..WIDTH {
                let plain: f64 = (0..n).map(|row| basis[1][row][i] * w[row][j]).sum();
                assert!((sums[1][i][j] - plain).abs() < 1e-10 && (alone[i][j] - plain).abs() < 1e-10);
            }
        }
        let [own, other] = paired_products(&basis, [&w, &basis[0]]);
        assert_eq!((own, other), (sums.clone(), products(&basis, &basis[0])));
        let mut changed = w.clone();
        combine(-1.0, &basis, std::slice::from_ref(&sums), &mut [&mut changed]);
        for row in [0, 9, n - 1] {
            for j in 0..WIDTH {
                let pairs = (0..2).flat_map(|b| (0..WIDTH).map(move |i| (b, i)));
                let plain: f64 = pairs.map(|(b, i)| basis[b][row][i] * sums[b][i][j]).sum();
                assert!((changed[row][j] - (w[row][j] - plain)).abs() < 1e-10);
            }
        }
        let mut replaced = basis.clone();
        replace(&mut replaced, std::slice::from_ref(&sums));
        assert!((replaced[0][n - 1][2] - (w[n - 1][2] - changed[n - 1][2])).abs() < 1e-9);
        assert_eq!(replaced[1], basis[1]);
        let mut double = [[0.0; WIDTH]; WIDTH];
        double[1][0] = 2.0;
        multiply(&mut changed[..3], &double);
        assert_eq!((changed[2][0] != 0.0, changed[2][1]), (true, 0.0));
    }
}
