//! Row-major matrices → panels of 32 columns in 16-bit whole numbers.

use crate::microkernel::PANEL;
use crate::microkernel_i16::{nearest, unit};
use multiversion::multiversion;

/// The right factor of products in whole numbers: panels of 32 columns, pairs of rows side by side, with a unit per
/// column; 0 beyond the last column and the last row.
#[derive(Debug, Clone, Default)]
pub struct Panels16 {
    depth: usize,
    values: Vec<i16>,
    units: Vec<[f32; PANEL]>,
}

impl Panels16 {
    /// Rounds a matrix of `cols` columns, row by row.
    ///
    /// The same numbers and units as [`Room16::round`](crate::Room16::round) gives for the columns, but for the order in
    /// which a column's squares are summed.
    pub fn round(&mut self, values: &[f32], cols: usize) {
        self.depth = values.len() / cols.max(1);
        let (panels, len) = (cols.div_ceil(PANEL), self.depth.next_multiple_of(2) * PANEL);
        self.values.resize(panels * len, 0);
        self.units.resize(panels, [0.0; PANEL]);
        for (at, (panel, units)) in self.values.chunks_exact_mut(len.max(1)).zip(&mut self.units).enumerate() {
            let first = at * PANEL;
            let lines = Lines { values: &values[first..], stride: cols, width: PANEL.min(cols - first) };
            *units = column_units(lines, self.depth);
            round_panel(lines, units, panel);
        }
    }

    /// The panels, each with its columns' units.
    pub fn panels(&self) -> impl Iterator<Item = (&[i16], &[f32; PANEL])> {
        let len = self.depth.next_multiple_of(2) * PANEL;
        self.values.chunks_exact(len.max(1)).zip(&self.units)
    }
}

/// Some columns of a row-major matrix.
#[derive(Debug, Clone, Copy)]
struct Lines<'a> {
    values: &'a [f32],
    stride: usize,
    width: usize,
}

impl<'a> Lines<'a> {
    #[inline(always)]
    fn rows(self) -> impl Iterator<Item = &'a [f32]> {
        self.values.chunks(self.stride)
    }
}

/// One line as an array, 0 beyond its width.
#[inline(always)]
fn line(row: &[f32], width: usize) -> [f32; PANEL] {
    if let (true, Some(whole)) = (width == PANEL, row.first_chunk::<PANEL>()) {
        return *whole;
    }
    let mut line = [0.0; PANEL];
    line[..width].copy_from_slice(&row[..width]);
    line
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl+fma", "x86_64+avx2+fma", "aarch64+neon"))]
fn column_units(lines: Lines<'_>, depth: usize) -> [f32; PANEL] {
    let (mut squares, mut largest) = ([0f32; PANEL], [0f32; PANEL]);
    for row in lines.rows() {
        let row = line(row, lines.width);
        for ((&v, square), largest) in row.iter().zip(&mut squares).zip(&mut largest) {
            *square += v * v;
            *largest = if v.abs() > *largest { v.abs() } else { *largest };
        }
    }
    std::array::from_fn(|c| unit(squares[c].sqrt(), largest[c], depth))
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl+fma", "x86_64+avx2+fma", "aarch64+neon"))]
fn round_panel(lines: Lines<'_>, units: &[f32; PANEL], panel: &mut [i16]) {
    let inverse = units.map(|unit| if unit > 0.0 { 1.0 / unit } else { 0.0 });
    let mut rows = lines.rows();
    for pairs in panel.chunks_exact_mut(2 * PANEL) {
        let whole = [rows.next(), rows.next()].map(|row| {
            let row = row.map_or([0.0; PANEL], |row| line(row, lines.width));
            let mut whole = [0i16; PANEL];
            for ((whole, v), inverse) in whole.iter_mut().zip(row).zip(inverse) {
                *whole = nearest(v * inverse);
            }
            whole
        });
        for (c, pair) in pairs.chunks_exact_mut(2).enumerate() {
            (pair[0], pair[1]) = (whole[0][c], whole[1][c]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::microkernel::Rows;
    use crate::microkernel_i16::{Room16, pack_pairs};

    #[test]
    fn panels_are_those_of_the_transposed_rows() {
        for (depth, cols) in [(1, 1), (7, 32), (64, 40), (33, 64)] {
            // multiples of 1/8 have exact sums of squares in any order
            let values: Vec<f32> = (0..depth * cols).map(|i| ((i * 37) % 29) as f32 / 8.0 - 1.5).collect();
            let turned: Vec<f32> = (0..depth * cols).map(|at| values[at % depth * cols + at / depth]).collect();
            let mut room = Room16::default();
            let rows = room.round(Rows { values: &turned, stride: depth, count: cols }, depth);
            let pairs = depth.div_ceil(2);
            let mut wanted = vec![0; cols.div_ceil(PANEL) * pairs * 2 * PANEL];
            pack_pairs(rows, pairs, &mut wanted);
            let mut panels = Panels16::default();
            panels.round(&values, cols);
            assert_eq!(panels.values, wanted, "{depth}x{cols}");
            assert_eq!(panels.units.as_flattened()[..cols], *rows.units);
            // a second matrix in the same room leaves nothing behind
            panels.round(&[0.0; 6], 3);
            assert!(panels.panels().all(|(panel, _)| panel.len() == 2 * PANEL && panel.iter().all(|&v| v == 0)));
        }
    }

    #[test]
    fn a_column_with_nan_has_no_unit() {
        let mut panels = Panels16::default();
        panels.round(&[1.0, f32::NAN, 2.0, 3.0], 2);
        assert!(panels.units[0][1].is_nan() && panels.units[0][0] > 0.0);
    }
}
