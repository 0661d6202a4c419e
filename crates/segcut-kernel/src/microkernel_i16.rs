//! A few rows times one panel of 32 columns in 16-bit whole numbers with 32-bit sums: twice as many
//! products an instruction as f32 has, on processors with AVX-512 VNNI.
//!
//! A vector is stored as whole numbers times a factor that keeps its length below 2^15.5, so that by
//! Cauchy and Schwarz no sum of products leaves 32 bits, however deep.

use crate::microkernel::{PANEL, Rows, RowsMut};
#[cfg(target_arch = "x86_64")]
use crate::microkernel_x86 as x86;
use multiversion::multiversion;

/// Length of a stored vector at most, with what rounding may add to it: 46,340² < 2³¹.
const LENGTH: f32 = 46_330.0;
/// Magnitude of a stored number at most.
const LARGEST: f32 = 32_767.0;

/// Rows of whole numbers, `stride` (even) from one to the next, and what a row's numbers are multiples of.
#[derive(Debug, Clone, Copy)]
pub struct Rows16<'a> {
    /// The whole numbers.
    pub values: &'a [i16],
    /// One per row.
    pub units: &'a [f32],
    /// Numbers from a row's first to the next row's.
    pub stride: usize,
}

/// The right factor of a product and what becomes of it.
#[derive(Debug, Clone, Copy)]
pub struct Right16<'a> {
    /// depth/2 × 32 pairs of numbers: two lines of a column side by side.
    pub panel: &'a [i16],
    /// What each column's numbers are multiples of.
    pub units: &'a [f32; PANEL],
    /// 32 numbers that the product starts from.
    pub bias: &'a [f32; PANEL],
    /// Add to the numbers that are there instead of replacing them.
    pub add: bool,
    /// How far behind the line that is worked on lie the numbers to bring near meanwhile: a hint.
    pub ahead: usize,
}

/// Whether the processor has the instructions that make whole numbers faster than f32.
pub fn is_fast() -> bool {
    #[cfg(target_arch = "x86_64")]
    let fast = x86::has_vnni();
    #[cfg(not(target_arch = "x86_64"))]
    let fast = false;
    fast
}

/// Room for rows of whole numbers.
#[derive(Debug, Clone, Default)]
pub struct Room16 {
    values: Vec<i16>,
    units: Vec<f32>,
    stride: usize,
}

impl Room16 {
    /// Rows of `depth` numbers → whole numbers and their units.
    pub fn round(&mut self, rows: Rows<'_>, depth: usize) -> Rows16<'_> {
        let stride = stride(depth);
        self.stride = stride;
        self.units.resize(rows.count, 0.0);
        self.values.resize(rows.count * stride, 0);
        let lines = self.values.chunks_exact_mut(stride).zip(&mut self.units).zip(rows.values.chunks(rows.stride));
        for ((whole, unit), row) in lines {
            *unit = round(&row[..depth], whole);
            // what makes the number of columns even must be zeros
            whole[depth..].fill(0);
        }
        self.part(0, rows.count)
    }

    /// The rows from `first` to before `last`.
    pub fn part(&self, first: usize, last: usize) -> Rows16<'_> {
        let values = &self.values[first * self.stride..last * self.stride];
        Rows16 { values, units: &self.units[first..last], stride: self.stride }
    }
}

/// Numbers kept for a row: an even number, and not a power of two.
fn stride(depth: usize) -> usize {
    depth.next_multiple_of(2) + 32
}

/// A vector → whole numbers, and the unit that they are multiples of.
///
/// NaN and infinity give a unit that is one of them.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl+fma", "x86_64+avx2+fma", "aarch64+neon"))]
fn round(vector: &[f32], whole: &mut [i16]) -> f32 {
    const LANES: usize = 16;
    let (mut squares, mut largest) = ([0f32; LANES], [0f32; LANES]);
    for chunk in vector.chunks(LANES) {
        for ((&v, square), largest) in chunk.iter().zip(&mut squares).zip(&mut largest) {
            *square += v * v;
            *largest = if v.abs() > *largest { v.abs() } else { *largest };
        }
    }
    let length = squares.iter().sum::<f32>().sqrt();
    let largest = largest.into_iter().fold(0.0, f32::max);
    let unit = unit(length, largest, vector.len());
    let inverse = if unit > 0.0 { 1.0 / unit } else { 0.0 };
    for (whole, &v) in whole.iter_mut().zip(vector) {
        *whole = nearest(v * inverse);
    }
    unit
}

/// What the numbers of a vector of this length and this largest magnitude are multiples of.
#[inline(always)]
pub(crate) fn unit(length: f32, largest: f32, depth: usize) -> f32 {
    let unit = (length / (LENGTH - 0.5 * (depth as f32).sqrt())).max(largest / LARGEST);
    if length.is_nan() { length } else { unit }
}

/// The nearest whole number.
#[inline(always)]
pub(crate) fn nearest(v: f32) -> i16 {
    const ROUND: f32 = 12_582_912.0; // 1.5·2²³: the lowest 16 bits of a sum with it are the whole number
    (v + ROUND).to_bits() as i16
}

/// Rows of whole numbers → panels of 32 columns, pairs of lines side by side: the transposed matrix.
pub fn pack_pairs(rows: Rows16<'_>, pairs: usize, panels: &mut [i16]) {
    for (at, row) in rows.values.chunks_exact(rows.stride).enumerate() {
        let (panel, column) = (at / PANEL, at % PANEL);
        let panel = &mut panels[panel * pairs * 2 * PANEL..][..pairs * 2 * PANEL];
        for (line, pair) in panel.chunks_exact_mut(2 * PANEL).zip(row.chunks_exact(2)) {
            line[2 * column..][..2].copy_from_slice(pair);
        }
    }
}

/// out (+)= bias + left · panel for all rows of the left factor.
pub fn multiply(left: Rows16<'_>, right: Right16<'_>, out: &mut RowsMut<'_>) {
    #[cfg(target_arch = "x86_64")]
    if x86::has_vnni() {
        let rows = left.units.len();
        let tiles = rows.div_ceil(x86::HEIGHT_512);
        for tile in 0..tiles {
            let [first, last] = [tile, tile + 1].map(|t| t * rows / tiles);
            let values = &left.values[first * left.stride..];
            let left = Rows16 { values, units: &left.units[first..last], ..left };
            // the first tile brings the next panel near
            let right = Right16 { ahead: if tile == 0 { right.panel.len() } else { 0 }, ..right };
            let mut out = RowsMut { values: &mut out.values[first * out.stride..], stride: out.stride };
            x86::tile_vnni(left, right, &mut out);
        }
        return;
    }
    plain_multiply(left, right, out);
}

/// The same in plain loops.
fn plain_multiply(left: Rows16<'_>, right: Right16<'_>, out: &mut RowsMut<'_>) {
    let rows = left.values.chunks(left.stride).zip(left.units).zip(out.values.chunks_mut(out.stride));
    for ((row, unit), out) in rows {
        let mut sums = [0i32; PANEL];
        for (line, pair) in right.panel.chunks_exact(2 * PANEL).zip(row.chunks_exact(2)) {
            let [x, y] = [i32::from(pair[0]), i32::from(pair[1])];
            for (sum, w) in sums.iter_mut().zip(line.chunks_exact(2)) {
                *sum += x * i32::from(w[0]) + y * i32::from(w[1]);
            }
        }
        for (column, (out, &sum)) in out.iter_mut().zip(&sums).enumerate() {
            let value = (sum as f32).mul_add(unit * right.units[column], right.bias[column]);
            *out = if right.add { *out + value } else { value };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Vectors of which some numbers are far larger than others.
    fn vectors(count: usize, depth: usize) -> impl Strategy<Value = Vec<Vec<f32>>> {
        let number = (-1.0f32..1.0, 0i32..8).prop_map(|(v, power)| v * 3f32.powi(power));
        proptest::collection::vec(proptest::collection::vec(number, depth), count)
    }

    fn product(
        left: &[Vec<f32>],
        right: &[Vec<f32>],
        kernel: fn(Rows16<'_>, Right16<'_>, &mut RowsMut<'_>),
    ) -> Vec<f32> {
        let depth = left[0].len();
        let (mut a, mut b) = (Room16::default(), Room16::default());
        let [left, right] = [left, right].map(|vectors| vectors.concat());
        let rows = |values| Rows { values, stride: depth, count: values.len() / depth };
        let left = a.round(rows(&left), depth);
        let columns = b.round(rows(&right), depth);
        let pairs = depth.div_ceil(2);
        let mut panel = vec![0; pairs * 2 * PANEL];
        pack_pairs(columns, pairs, &mut panel);
        let units = std::array::from_fn(|i| columns.units.get(i).copied().unwrap_or(0.0));
        let right = Right16 { panel: &panel, units: &units, bias: &[0.5; PANEL], add: true, ahead: 0 };
        let mut out = vec![0.25; left.units.len() * PANEL];
        kernel(left, right, &mut RowsMut { values: &mut out, stride: PANEL });
        out
    }

    proptest! {
        #[test]
        fn products_are_near_those_of_real_numbers(left in vectors(14, 75), right in vectors(32, 75)) {
            let ours = product(&left, &right, multiply);
            prop_assert_eq!(&ours, &product(&left, &right, plain_multiply));
            let length = |v: &[f32]| v.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
            for (at, &value) in ours.iter().enumerate() {
                let (a, b) = (&left[at / PANEL], &right[at % PANEL]);
                let exact: f64 = a.iter().zip(b).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum();
                let off = (f64::from(value) - exact - 0.75).abs();
                prop_assert!(off < 5e-4 * (length(a) * length(b)).max(1.0), "{off}");
            }
        }
    }

    #[test]
    fn the_longest_vectors_do_not_overflow() {
        for (depth, first) in [(4096, 1.0), (2, 1.0), (300, 1e6), (1, 3.0)] {
            let mut vector = vec![1.0f32; depth];
            vector[0] = first;
            let exact: f64 = vector.iter().map(|&v| f64::from(v).powi(2)).sum();
            let ours = product(&[vector.clone()], &[vector], multiply)[0] - 0.75;
            // all numbers equal: all are rounded alike, by 1/1447 at most where there are 4096
            assert!((f64::from(ours) / exact - 1.0).abs() < 1.5e-3, "{depth}: {ours}");
        }
    }

    #[test]
    fn no_number_hides_that_another_is_none() {
        let mut whole = [0; 3];
        assert!(round(&[1.0, f32::NAN, 0.0], &mut whole).is_nan());
        assert!(!round(&[1.0, f32::INFINITY, 0.0], &mut whole).is_finite());
        assert_eq!(round(&[0.0; 3], &mut whole), 0.0);
        assert_eq!(whole, [0; 3]);
    }
}
