//! Symmetric tridiagonal matrix to eigenvalues by implicit QL.

/// Diagonal and off-diagonal to eigenvalues in place; the rotations are applied to the rows of `z`.
///
/// EISPACK's tql2 (Bowdler, Martin, Reinsch, Wilkinson 1968). `z` holds rows of d.len() values; given the
/// identity it ends with the eigenvectors as columns, given one row of it with that component of each.
/// Values stay unsorted. Returns false where a value did not settle in 60 sweeps.
///
/// # Cost
/// O(m²) without rows, O(m²) more for each row.
pub(crate) fn implicit_ql(d: &mut [f64], e: &mut [f64], z: &mut [f64]) -> bool {
    let m = d.len();
    for l in 0..m {
        for sweep in 0.. {
            let split = (l..m - 1).find(|&i| e[i].abs() <= f64::EPSILON * (d[i].abs() + d[i + 1].abs()));
            let end = split.unwrap_or(m - 1);
            if end == l {
                break;
            }
            if sweep == 60 {
                return false;
            }
            ql_sweep(d, e, z, [l, end]);
        }
    }
    true
}

/// One implicit QL sweep with Wilkinson's shift on the block l ..= end.
fn ql_sweep(d: &mut [f64], e: &mut [f64], z: &mut [f64], [l, end]: [usize; 2]) {
    let m = d.len();
    let g = (d[l + 1] - d[l]) / (2.0 * e[l]);
    let r = g.hypot(1.0);
    let mut g = d[end] - d[l] + e[l] / (g + r.copysign(g));
    let (mut s, mut c, mut p) = (1.0, 1.0, 0.0);
    for i in (l..end).rev() {
        let f = s * e[i];
        let b = c * e[i];
        let r = (f * f + g * g).sqrt();
        e[i + 1] = r;
        if r == 0.0 {
            d[i + 1] -= p;
            e[end] = 0.0;
            return;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        let r = (d[i] - g) * s + 2.0 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
        for row in z.chunks_exact_mut(m) {
            let f = row[i + 1];
            row[i + 1] = s * row[i] + c * f;
            row[i] = c * row[i] - s * f;
        }
    }
    d[l] -= p;
    e[l] = g;
    e[end] = 0.0;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_laplacian_has_its_closed_form() {
        let m = 12;
        let mut d = vec![2.0; m];
        d[0] = 1.0;
        d[m - 1] = 1.0;
        let (mut values, mut e) = (d.clone(), vec![-1.0; m]);
        let mut z = vec![0.0; m * m];
        (0..m).for_each(|i| z[i * m + i] = 1.0);
        assert!(implicit_ql(&mut values, &mut e, &mut z));
        for j in 0..m {
            let column: Vec<f64> = (0..m).map(|i| z[i * m + j]).collect();
            for i in 0..m {
                let left = if i > 0 { column[i - 1] } else { 0.0 };
                let right = if i + 1 < m { column[i + 1] } else { 0.0 };
                assert!((d[i] * column[i] - left - right - values[j] * column[i]).abs() < 1e-13);
            }
        }
        values.sort_by(f64::total_cmp);
        for (k, value) in values.iter().enumerate() {
            let exact = 2.0 - 2.0 * (std::f64::consts::PI * k as f64 / m as f64).cos();
            assert!((value - exact).abs() < 1e-14);
        }
    }
}
