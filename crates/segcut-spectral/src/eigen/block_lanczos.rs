//! A symmetric operator to its largest eigenpairs by block Lanczos with partial reorthogonalization.

use super::row_blocks::{Row, Small, WIDTH, combine, multiply, paired_products, product, products, replace, squares};
use faer::{Mat, Side};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::ops::Range;

/// An operator that overwrites a block by its product.
pub(crate) type BlockOperator<'a> = dyn FnMut(&mut [Row]) + 'a;

/// Columns that keep less than this of their length beside the others of their block are orthogonalized one by
/// one: the triangular factor of their Gram matrix is not accurate.
const DEPENDENT: f64 = 1e-3;

/// Columns that keep less than this of their length are rounding errors.
const NOISE: f64 = 1e-13;

/// Columns of which no more than this is left beside the basis are rounding errors.
const COLLAPSED: f64 = 1e-12;

/// Orthogonalizations of one column at most; two are enough for all but rounding errors.
const PASSES: usize = 4;

/// The state of a block Lanczos iteration: V (n×m) and T = Vᵀ·Op·V (m×m).
///
/// Golub & Underwood 1977, with the partial reorthogonalization of Grimes, Lewis & Simon 1994. One product with a factor
/// serves a whole block, and eigenvalues repeated up to the block's width are found at once.
pub(crate) struct BlockLanczos {
    /// Orthonormal vectors that the search avoids, filled up with zero columns; then the basis.
    blocks: Vec<Vec<Row>>,
    /// How many blocks are avoided.
    avoided: usize,
    /// Columns of T, each as long as the basis was when it was made.
    projected: Vec<Vec<f64>>,
    next: Vec<Row>,
    /// What joins the basis to `next`.
    coupling: Small,
    /// A bound on the products of basis vectors that should be orthogonal.
    drift: f64,
    /// The drift from which two blocks are orthogonalized against all.
    limit: f64,
    /// The longest product of the operator with a unit vector so far.
    top: f64,
    random: ChaCha8Rng,
}

/// Approximate eigenpairs in the coordinates of the basis.
pub(crate) struct BlockRitz {
    /// Descending.
    pub(crate) values: Vec<f64>,
    /// m×m, columns in the order of the values.
    coordinates: Mat<f64>,
}

impl BlockLanczos {
    /// A random first block beside the vectors to avoid; `limit` bounds the products of basis vectors.
    pub(crate) fn new(n: usize, avoid: &[&[f64]], limit: f64, seed: u64) -> Self {
        let blocks: Vec<_> = avoid.chunks(WIDTH).map(|columns| block_of(n, columns)).collect();
        let mut lanczos = Self {
            avoided: blocks.len(),
            blocks,
            projected: Vec::new(),
            next: Vec::new(),
            coupling: [[0.0; WIDTH]; WIDTH],
            drift: f64::EPSILON,
            limit,
            top: 0.0,
            random: ChaCha8Rng::seed_from_u64(seed),
        };
        lanczos.next = (0..n).map(|_| std::array::from_fn(|_| lanczos.random.random::<f64>() - 0.5)).collect();
        lanczos.remove(0..lanczos.avoided);
        lanczos.orthonormalize();
        lanczos
    }

    /// Columns of the basis.
    pub(crate) fn len(&self) -> usize {
        self.projected.len()
    }

    /// The block of the next step.
    pub(crate) fn next(&self) -> &[Row] {
        &self.next
    }

    /// Adds one block to the basis.
    pub(crate) fn step(&mut self, operator: &mut BlockOperator<'_>) {
        self.blocks.push(self.next.clone());
        operator(&mut self.next);
        self.remove(0..self.avoided);
        let before = squares(&self.next);
        let recent = self.blocks.len().saturating_sub(2).max(self.avoided);
        let mut found = self.remove(recent..self.blocks.len());
        let after = squares(&self.next);
        // What the basis lacks in orthogonality reaches the new block by this factor (Simon 1984).
        self.top = before.iter().fold(self.top, |top, square| top.max(square.sqrt()));
        let growth = after.iter().map(|square| self.top / square.sqrt()).fold(1.0, f64::max);
        self.drift = growth * (self.drift + f64::EPSILON);
        let mut first = recent;
        if self.drift.is_nan() || self.drift > self.limit {
            found = self.clean(found, recent);
            first = self.avoided;
            self.drop_noise(&before);
        }
        for j in 0..WIDTH {
            let mut column = vec![0.0; (first - self.avoided) * WIDTH];
            column.extend(found.iter().flat_map(|product| product.iter().map(|row| row[j])));
            self.projected.push(column);
        }
        self.orthonormalize();
    }

    /// Orthogonalizes the last block of the basis and `next` against all before them; the products of `next` with
    /// all of the basis, given those with the blocks from `recent` on.
    fn clean(&mut self, found: Vec<Small>, recent: usize) -> Vec<Small> {
        let mut all = Vec::new();
        if let Some(mut last) = self.blocks.pop() {
            let basis = &self.blocks[self.avoided..];
            let [of_last, of_next] = paired_products(basis, [&last, &self.next]);
            all.clone_from(&of_next);
            combine(-1.0, basis, &[of_last, of_next], &mut [&mut last, &mut self.next]);
            self.blocks.push(last);
            all.append(&mut self.remove(self.blocks.len() - 1..self.blocks.len()));
        }
        for (sum, before) in
            all[recent - self.avoided..].iter_mut().flatten().flatten().zip(found.iter().flatten().flatten())
        {
            *sum += before;
        }
        self.drift = f64::EPSILON;
        all
    }

    /// Takes some blocks out of `next`; the products with them.
    fn remove(&mut self, range: Range<usize>) -> Vec<Small> {
        let blocks = &self.blocks[range];
        let found = vec![products(blocks, &self.next)];
        combine(-1.0, blocks, &found, &mut [&mut self.next]);
        found.into_iter().next().unwrap_or_default()
    }

    /// Columns of which nothing but rounding errors is left become zero.
    fn drop_noise(&mut self, before: &Row) {
        let left = squares(&self.next);
        let keep: Row = std::array::from_fn(|j| if left[j] > NOISE * NOISE * before[j] { 1.0 } else { 0.0 });
        self.next.iter_mut().for_each(|row| row.iter_mut().zip(keep).for_each(|(x, keep)| *x *= keep));
    }

    /// An orthonormal basis of `next`; the coupling is what it takes to get back.
    ///
    /// Twice the triangular factor of the Gram matrix (Fukaya et al. 2014); nearly dependent columns one by one.
    fn orthonormalize(&mut self) {
        let mut coupling = identity();
        for _ in 0..2 {
            let gram = product(&self.next, &self.next);
            let Some(factor) = triangular_factor(&gram) else {
                self.orthonormalize_columns(coupling);
                return;
            };
            // What a column keeps beside the others of its block grows by the inverse of its share.
            self.drift *= (0..WIDTH).map(|i| gram[i][i].sqrt() / factor[i][i]).fold(1.0, f64::max);
            multiply(&mut self.next, &inverse(&factor));
            coupling = times(&factor, &coupling);
        }
        self.coupling = coupling;
    }

    /// Gram-Schmidt column by column, on top of a coupling found already. A column that collapses, in its block or in the
    /// basis, is replaced by a random one, not coupled.
    fn orthonormalize_columns(&mut self, before: Small) {
        let mut own = [[0.0; WIDTH]; WIDTH];
        for j in 0..WIDTH {
            let mut alone = self.column(j);
            let length = column_norm(&alone, j);
            let (along, left) = self.clear(&mut alone, j);
            if left > COLLAPSED * length {
                (0..j).for_each(|i| own[i][j] = along[i]);
                own[j][j] = left;
            } else {
                alone.iter_mut().for_each(|row| row[j] = self.random.random::<f64>() - 0.5);
                self.clear(&mut alone, j);
            }
            self.next.iter_mut().zip(&alone).for_each(|(a, b)| a[j] = b[j]);
        }
        self.coupling = times(&own, &before);
    }

    /// Column j of `next` among zero columns.
    fn column(&self, j: usize) -> Vec<Row> {
        let only = |row: &Row| std::array::from_fn(|i| if i == j { row[j] } else { 0.0 });
        self.next.iter().map(only).collect()
    }

    /// Takes the basis and the first j columns of `next` out of column j, which stands alone, until no more than half of it
    /// is lost, and makes it a unit vector; its products with those columns and the length that was left.
    fn clear(&self, alone: &mut [Row], j: usize) -> (Row, f64) {
        let (mut along, mut left) = ([0.0; WIDTH], column_norm(alone, j));
        let length = left;
        for _ in 0..PASSES {
            let found = products(&self.blocks, alone);
            combine(-1.0, &self.blocks, &[found], &mut [&mut *alone]);
            let found = product(&self.next, alone);
            for i in 0..j {
                along[i] += found[i][j];
                alone.iter_mut().zip(&self.next).for_each(|(a, b)| a[j] -= found[i][j] * b[i]);
            }
            let before = std::mem::replace(&mut left, column_norm(alone, j));
            if left > 0.5 * before || left <= COLLAPSED * length {
                break;
            }
        }
        if left > 0.0 {
            alone.iter_mut().for_each(|row| row[j] /= left);
        }
        (along, left)
    }

    /// The eigenpairs of T.
    pub(crate) fn ritz(&self) -> Option<BlockRitz> {
        let m = self.len();
        let entry = |i: usize, j: usize| if i <= j { self.projected[j][i] } else { self.projected[i][j] };
        let decomposition = Mat::from_fn(m, m, entry).self_adjoint_eigen(Side::Lower).ok()?;
        let (values, vectors) = (decomposition.S(), decomposition.U());
        let values = (0..m).rev().map(|i| values[i]).collect();
        let coordinates = Mat::from_fn(m, m, |i, j| vectors[(i, m - 1 - j)]);
        Some(BlockRitz { values, coordinates })
    }

    /// What the operator leaves outside the basis for a pair: `next` times these coordinates.
    pub(crate) fn remainder(&self, ritz: &BlockRitz, pair: usize) -> Row {
        let m = self.len();
        std::array::from_fn(|i| (0..WIDTH).map(|j| self.coupling[i][j] * ritz.coordinates[(m - WIDTH + j, pair)]).sum())
    }

    /// The first `wanted` Ritz vectors, of the largest values, in blocks filled up with zero columns.
    ///
    /// They take the place of the basis, which is as large as everything else.
    pub(crate) fn into_vectors(mut self, ritz: &BlockRitz, wanted: usize) -> Vec<Vec<Row>> {
        let mut basis = self.blocks.split_off(self.avoided);
        let wanted = wanted.min(self.len());
        let coordinate = |i: usize, pair: usize| if pair < wanted { ritz.coordinates[(i, pair)] } else { 0.0 };
        let small = |b: usize, first: usize| {
            std::array::from_fn(|i| std::array::from_fn(|j| coordinate(b * WIDTH + i, first + j)))
        };
        let coefficients: Vec<Vec<Small>> =
            (0..wanted).step_by(WIDTH).map(|first| (0..basis.len()).map(|b| small(b, first)).collect()).collect();
        replace(&mut basis, &coefficients);
        basis.truncate(coefficients.len());
        basis
    }
}

fn column_norm(block: &[Row], j: usize) -> f64 {
    block.iter().map(|row| row[j] * row[j]).sum::<f64>().sqrt()
}

/// Up to four columns side by side, zero columns after them.
fn block_of(n: usize, columns: &[&[f64]]) -> Vec<Row> {
    let entry = |i: usize, j: usize| columns.get(j).map_or(0.0, |column| column[i]);
    (0..n).map(|i| std::array::from_fn(|j| entry(i, j))).collect()
}

fn identity() -> Small {
    std::array::from_fn(|i| std::array::from_fn(|j| if i == j { 1.0 } else { 0.0 }))
}

fn times(a: &Small, b: &Small) -> Small {
    std::array::from_fn(|i| std::array::from_fn(|j| (0..WIDTH).map(|l| a[i][l] * b[l][j]).sum()))
}

/// RᵀR = G with R upper triangular; `None` where a column depends on those before it.
fn triangular_factor(gram: &Small) -> Option<Small> {
    let mut factor = [[0.0; WIDTH]; WIDTH];
    for i in 0..WIDTH {
        let pivot = gram[i][i] - (0..i).map(|l| factor[l][i] * factor[l][i]).sum::<f64>();
        if pivot.is_nan() || pivot <= DEPENDENT * DEPENDENT * gram[i][i] {
            return None;
        }
        factor[i][i] = pivot.sqrt();
        for j in i + 1..WIDTH {
            let sum: f64 = (0..i).map(|l| factor[l][i] * factor[l][j]).sum();
            factor[i][j] = (gram[i][j] - sum) / factor[i][i];
        }
    }
    Some(factor)
}

/// The inverse of an upper triangular matrix.
fn inverse(factor: &Small) -> Small {
    let mut inverse = [[0.0; WIDTH]; WIDTH];
    for j in 0..WIDTH {
        inverse[j][j] = factor[j][j].recip();
        for i in (0..j).rev() {
            let sum: f64 = (i + 1..=j).map(|l| factor[i][l] * inverse[l][j]).sum();
            inverse[i][j] = -sum / factor[i][i];
        }
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_values_of_a_diagonal_are_found() {
        let n = 80;
        let diagonal: Vec<f64> = (0..n).map(|i| if i < 3 { 5.0 } else { 1.0 / i as f64 }).collect();
        let mut lanczos = BlockLanczos::new(n, &[], 1e-11, 1);
        let mut operator = |x: &mut [Row]| {
            x.iter_mut().zip(&diagonal).for_each(|(x, d)| x.iter_mut().for_each(|x| *x *= d));
        };
        for _ in 0..14 {
            lanczos.step(&mut operator);
        }
        let ritz = lanczos.ritz().unwrap();
        for (value, expected) in ritz.values.iter().zip([5.0, 5.0, 5.0, 1.0 / 3.0, 0.25]) {
            assert!((value - expected).abs() < 1e-9, "{value}");
        }
        assert!(lanczos.remainder(&ritz, 0).iter().all(|x| x.abs() < 1e-9));
        let vectors = lanczos.into_vectors(&ritz, 4);
        assert!((vectors[0][3][3].abs() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_cluster_of_large_values_leaves_the_basis_orthonormal() {
        let n = 600;
        let diagonal: Vec<f64> =
            (0..n).map(|i| if i < 30 { 1e9 * (1.0 - 1e-13 * i as f64) } else { 1.0 / i as f64 }).collect();
        let mut lanczos = BlockLanczos::new(n, &[], 1e-11, 1);
        let mut operator = |x: &mut [Row]| {
            x.iter_mut().zip(&diagonal).for_each(|(x, d)| x.iter_mut().for_each(|x| *x *= d));
        };
        for _ in 0..100 {
            lanczos.step(&mut operator);
        }
        for (i, a) in lanczos.blocks.iter().enumerate() {
            for (j, b) in lanczos.blocks.iter().enumerate() {
                let far = |(r, row): (usize, &Row)| {
                    (0..WIDTH).map(|c| (row[c] - f64::from(u8::from(i == j && r == c))).abs()).fold(0.0, f64::max)
                };
                let worst = product(a, b).iter().enumerate().map(far).fold(0.0, f64::max);
                assert!(worst < 1e-7, "{i} {j} {worst}");
            }
        }
        let ritz = lanczos.ritz().unwrap();
        assert!((ritz.values[29] / 1e9 - 1.0).abs() < 1e-9 && ritz.values[30] < 1.0);
    }

    #[test]
    fn an_operator_of_low_rank_is_completed_by_random_columns() {
        let mut lanczos = BlockLanczos::new(40, &[], 1e-11, 2);
        let mut operator = |x: &mut [Row]| {
            x[2..].iter_mut().for_each(|x| *x = [0.0; WIDTH]);
        };
        for _ in 0..6 {
            lanczos.step(&mut operator);
        }
        for (i, a) in lanczos.blocks.iter().enumerate() {
            for (j, b) in lanczos.blocks.iter().enumerate() {
                let product = product(a, b);
                for (r, row) in product.iter().enumerate() {
                    for (c, &x) in row.iter().enumerate() {
                        let expected = f64::from(u8::from(i == j && r == c));
                        assert!((x - expected).abs() < 1e-10, "{i} {j} {x}");
                    }
                }
            }
        }
        let ritz = lanczos.ritz().unwrap();
        assert!((ritz.values[1] - 1.0).abs() < 1e-10 && ritz.values[2].abs() < 1e-10);
    }
}
