//! Inner loops over columns of length n, compiled for several instruction sets and chosen at run time.

use multiversion::multiversion;

/// aᵀb, in eight running sums.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2", "aarch64+neon"))]
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0f64; 8];
    let (chunks_a, rest_a) = a.as_chunks::<8>();
    let (chunks_b, rest_b) = b[..a.len()].as_chunks::<8>();
    for (x, y) in chunks_a.iter().zip(chunks_b) {
        for lane in 0..8 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    for ((sum, &x), &y) in sums.iter_mut().zip(rest_a).zip(rest_b) {
        *sum += x * y;
    }
    ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]))
}

/// y ← y + a·x.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2", "aarch64+neon"))]
pub(crate) fn axpy(a: f64, x: &[f64], y: &mut [f64]) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y += a * x;
    }
}

/// The Euclidean norm.
pub(crate) fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

/// w ← w − Q·Qᵀw for orthonormal columns Q (each of w's length); the coefficients are dropped.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2", "aarch64+neon"))]
pub(crate) fn project_out(columns: &[f64], w: &mut [f64]) {
    let n = w.len();
    let mut blocks = columns.chunks_exact(4 * n);
    for block in &mut blocks {
        let (first, second) = block.split_at(2 * n);
        let quad = [&first[..n], &first[n..], &second[..n], &second[n..]];
        project_four(quad, w);
    }
    for column in blocks.remainder().chunks_exact(n) {
        let c = -dot(column, w);
        axpy(c, column, w);
    }
}

/// Classical Gram-Schmidt against four columns at once: one pass over w for the products, one for the update.
#[inline(always)]
fn project_four(q: [&[f64]; 4], w: &mut [f64]) {
    let n = w.len();
    let mut sums = [[0.0f64; 8]; 4];
    let whole = n / 8 * 8;
    for i in (0..whole).step_by(8) {
        for (sums, q) in sums.iter_mut().zip(&q) {
            for lane in 0..8 {
                sums[lane] += q[i + lane] * w[i + lane];
            }
        }
    }
    let mut c = [0.0f64; 4];
    for ((c, sums), q) in c.iter_mut().zip(&sums).zip(&q) {
        let rest: f64 = (whole..n).map(|i| q[i] * w[i]).sum();
        *c = sums.iter().sum::<f64>() + rest;
    }
    let (a, b, d, e) = (&q[0][..n], &q[1][..n], &q[2][..n], &q[3][..n]);
    for i in 0..n {
        w[i] -= (c[0] * a[i] + c[1] * b[i]) + (c[2] * d[i] + c[3] * e[i]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_equal_plain_sums() {
        for n in [0, 1, 7, 8, 9, 37] {
            let a: Vec<f64> = (0..n).map(|i| (i as f64).sin()).collect();
            let b: Vec<f64> = (0..n).map(|i| (i as f64 * 0.7).cos()).collect();
            let plain: f64 = a.iter().zip(&b).map(|(x, y)| x * y).sum();
            assert!((dot(&a, &b) - plain).abs() < 1e-12);
        }
    }

    #[test]
    fn nothing_is_left_along_the_columns() {
        let n = 11;
        let mut columns = vec![0.0; n * 6];
        for j in 0..6 {
            columns[j * n + j + 2] = 1.0;
        }
        let mut w: Vec<f64> = (0..n).map(|i| i as f64 + 1.0).collect();
        project_out(&columns, &mut w);
        assert_eq!(w, [1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 9.0, 10.0, 11.0]);
    }
}
