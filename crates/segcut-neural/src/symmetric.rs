//! A dense symmetric matrix, held by its upper half, times some columns.

use crate::matrix::Matrix;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

/// Rows that are read together.
const PANEL: usize = 4;

/// Columns of a panel begin at a multiple of this, so that every register of 4, 8 or 16 values begins at one.
const WIDE: usize = 16;

/// Panels that one task works on.
const PANELS: usize = 64;

/// Every entry on and above the diagonal, four rows at a time; the square of 16 columns that holds a panel's diagonal
/// is held whole.
#[derive(Debug, Clone)]
pub(crate) struct Symmetric {
    n: usize,
    /// n up to the next multiple of 16; the rest is 0.
    padded: usize,
    /// Where each panel begins, and the end.
    starts: Vec<usize>,
    values: Vec<f32>,
}

impl Symmetric {
    /// The upper half of `full`, with the diagonal that is given.
    pub(crate) fn of(full: &Matrix, diagonal: impl Fn(usize) -> f32) -> Self {
        let n = full.rows;
        let padded = n.next_multiple_of(WIDE);
        let mut starts = vec![0];
        let mut values = Vec::with_capacity((n + 2 * WIDE) * (n + PANEL) / 2);
        for first in (0..n).step_by(PANEL) {
            let from = first / WIDE * WIDE;
            for row in first..first + PANEL {
                let start = values.len();
                if row < n {
                    values.extend_from_slice(&full.row(row)[from..]);
                    values[start + row - from] = diagonal(row);
                }
                values.resize(start + padded - from, 0.0);
            }
            starts.push(values.len());
        }
        Self { n, padded, starts, values }
    }

    /// How many numbers are held.
    pub(crate) fn numbers(&self) -> usize {
        self.values.len()
    }

    /// W·S for the columns of S (each of length n, one after the other).
    ///
    /// Every entry is read once and used for its row and for its column.
    pub(crate) fn apply(&self, columns: &[f32]) -> Vec<f32> {
        let (n, padded) = (self.n, self.padded);
        if n == 0 {
            return Vec::new();
        }
        let input: Vec<Vec<f32>> = columns
            .chunks_exact(n)
            .map(|column| column.iter().copied().chain(std::iter::repeat_n(0.0, padded - n)).collect())
            .collect();
        let panels = self.starts.len() - 1;
        let tasks: Vec<usize> = (0..panels).step_by(PANELS).collect();
        let task = |&first: &usize| {
            let mut out = vec![0.0; padded * input.len()];
            let panels = first..(first + PANELS).min(panels);
            dispatch(Panels { matrix: self, panels, input: &input, out: &mut out });
            out
        };
        let parts: Vec<Vec<f32>> =
            if tasks.len() < 3 { tasks.iter().map(task).collect() } else { tasks.par_iter().map(task).collect() };
        let mut sum = vec![0.0; columns.len()];
        for part in &parts {
            for (sum, part) in sum.chunks_exact_mut(n).zip(part.chunks_exact(padded)) {
                sum.iter_mut().zip(part).for_each(|(sum, x)| *sum += x);
            }
        }
        sum
    }
}

/// The widest registers that this build knows.
fn dispatch<W: WithSimd>(op: W) -> W::Output {
    pulp::Arch::new().dispatch(op)
}

/// Some panels times all columns, added to `out`.
struct Panels<'a> {
    matrix: &'a Symmetric,
    panels: std::ops::Range<usize>,
    input: &'a [Vec<f32>],
    out: &'a mut [f32],
}

impl WithSimd for Panels<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Symmetric { padded, starts, values, .. } = self.matrix;
        for panel in self.panels {
            let first = panel * PANEL;
            let from = first / WIDE * WIDE;
            let rows = &values[starts[panel]..starts[panel + 1]];
            for (input, out) in self.input.iter().zip(self.out.chunks_exact_mut(*padded)) {
                let own = [0, 1, 2, 3].map(|r| input[first + r]);
                let sums = both_ways(simd, rows, own, (&input[from..], &mut out[from..]));
                out[first..].iter_mut().zip(sums).for_each(|(out, sum)| *out += sum);
            }
        }
    }
}

/// Four rows times `input`; what lies behind the first 16 columns is added to `out` as well, times `own`.
#[inline(always)]
fn both_ways<S: Simd>(simd: S, rows: &[f32], own: [f32; PANEL], (input, out): (&[f32], &mut [f32])) -> [f32; PANEL] {
    let (input, _) = S::as_simd_f32s(input);
    let (out, _) = S::as_mut_simd_f32s(out);
    let len = input.len();
    let square = len.min(WIDE / S::F32_LANES.min(WIDE));
    let (a, rest) = S::as_simd_f32s(rows).0.split_at(len);
    let (b, rest) = rest.split_at(len);
    let (c, d) = rest.split_at(len);
    let mut sums = [simd.splat_f32s(0.0); PANEL];
    for at in 0..square {
        for (sum, row) in sums.iter_mut().zip([a, b, c, d]) {
            *sum = simd.mul_add_f32s(row[at], input[at], *sum);
        }
    }
    let own = own.map(|x| simd.splat_f32s(x));
    let entries = a[square..].iter().zip(&b[square..]).zip(&c[square..]).zip(&d[square..]);
    for ((((&a, &b), &c), &d), (&s, out)) in entries.zip(input[square..].iter().zip(&mut out[square..])) {
        let [p, q, u, v] = sums;
        sums = [
            simd.mul_add_f32s(a, s, p),
            simd.mul_add_f32s(b, s, q),
            simd.mul_add_f32s(c, s, u),
            simd.mul_add_f32s(d, s, v),
        ];
        let one = simd.mul_add_f32s(a, own[0], *out);
        let two = simd.mul_f32s(b, own[1]);
        let one = simd.mul_add_f32s(c, own[2], one);
        let two = simd.mul_add_f32s(d, own[3], two);
        *out = simd.add_f32s(one, two);
    }
    sums.map(|sum| simd.reduce_sum_f32s(sum))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_act_as_the_whole() {
        for n in [0, 1, 2, 16, 17, 60, 700] {
            let entry = |i: usize, j: usize| ((i * j + i + j) % 13) as f32 / 13.0;
            let full = Matrix { rows: n, cols: n, values: (0..n * n).map(|at| entry(at / n, at % n)).collect() };
            let half = Symmetric::of(&full, |i| full.row(i)[i]);
            for k in 1..4 {
                let columns: Vec<f32> = (0..n * k).map(|at| (at * 7 % 11) as f32 / 11.0).collect();
                let found = half.apply(&columns);
                assert_eq!(found.len(), n * k);
                for (at, found) in found.iter().enumerate() {
                    let column = &columns[at / n * n..][..n];
                    let wanted: f32 = full.row(at % n).iter().zip(column).map(|(w, s)| w * s).sum();
                    assert!((found - wanted).abs() < 1e-4 * wanted.max(1.0), "{n} {k} {at}: {found} {wanted}");
                }
            }
        }
    }

    #[test]
    fn bytes_do_not_depend_on_the_threads() {
        let full = Matrix { rows: 900, cols: 900, values: (0..810_000).map(|at| (at % 13) as f32 / 13.0).collect() };
        let half = Symmetric::of(&full, |_| 0.5);
        let columns: Vec<f32> = (0..1800).map(|at| (at * 7 % 11) as f32 / 11.0).collect();
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| half.apply(&columns))
        };
        let one = run(1);
        assert!([2, 4, 8].into_iter().all(|threads| run(threads) == one));
    }
}
