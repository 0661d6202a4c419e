//! A few rows times one panel of 32 columns: the innermost part of a matrix product, as fast as the
//! processor allows. The instruction set is found at run time.

#[cfg(target_arch = "x86_64")]
use crate::microkernel_x86 as x86;

/// Columns of a panel.
pub const PANEL: usize = 32;

/// `count` rows of numbers, `stride` from one to the next.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// From the first row's first number to the last row's last, at least.
    pub values: &'a [f32],
    /// Numbers from a row's first to the next row's.
    pub stride: usize,
    /// How many rows.
    pub count: usize,
}

/// Rows that are written, `stride` from one to the next.
#[derive(Debug)]
pub struct RowsMut<'a> {
    /// From the first row's first number to the last row's last, at least.
    pub values: &'a mut [f32],
    /// Numbers from a row's first to the next row's.
    pub stride: usize,
}

/// One factor of a product and what becomes of it.
#[derive(Debug, Clone, Copy)]
pub struct Right<'a> {
    /// depth × 32 numbers, row by row.
    pub panel: &'a [f32],
    /// 32 numbers that the product starts from.
    pub bias: &'a [f32; PANEL],
    /// How many columns are wanted: up to 16 take half the time, and the others may be left as they are.
    pub cols: usize,
    /// Add to the numbers that are there instead of replacing them.
    pub add: bool,
    /// How far behind the line that is worked on lie the numbers to bring near meanwhile: a hint.
    pub ahead: usize,
}

/// A left factor by its columns: number k of row r lies at `values[k · stride + r]`.
#[derive(Debug, Clone, Copy)]
pub struct Columns<'a> {
    /// From the first column's first number to the last column's last, at least.
    pub values: &'a [f32],
    /// Numbers from a column's first to the next column's.
    pub stride: usize,
    /// How many rows.
    pub count: usize,
}

/// A right factor of 32 columns that are part of a wider matrix.
#[derive(Debug, Clone, Copy)]
pub struct Lines<'a> {
    /// From the first line's first number to the last line's 32nd, at least.
    pub values: &'a [f32],
    /// Numbers from a line's first to the next line's.
    pub stride: usize,
    /// How many lines.
    pub depth: usize,
    /// How many columns are wanted: up to 16 take half the time, and the others may be left as they are.
    pub cols: usize,
}

/// Instruction sets that have a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isa {
    /// AVX-512: 12 rows.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// AVX2 with FMA: 6 rows.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// What the compiler makes of plain loops: 4 rows.
    Portable,
}

impl Isa {
    /// Every set that this processor has, the fastest first.
    pub fn found() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let own = [
            is_x86_feature_detected!("avx512f").then_some(Self::Avx512),
            (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self::Avx2),
        ];
        #[cfg(not(target_arch = "x86_64"))]
        let own = [None, None];
        own.into_iter().flatten().chain([Self::Portable])
    }

    /// The fastest set that this processor has.
    pub fn best() -> Self {
        Self::found().next().unwrap_or(Self::Portable)
    }

    /// Rows that its kernel takes at once.
    fn height(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => x86::HEIGHT_512,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => x86::HEIGHT_256,
            Self::Portable => HEIGHT,
        }
    }

    /// out (+)= bias + left · panel.
    ///
    /// # Panics
    /// Where rows are shorter than the panel is deep, or rows of the product than 32 numbers.
    ///
    /// # Determinism
    /// Every row's sums run over the depth in order, so a row does not depend on which others are there.
    pub fn multiply(self, left: Rows<'_>, right: Right<'_>, out: &mut RowsMut<'_>) {
        let rows = left.count;
        let tiles = rows.div_ceil(self.height());
        for tile in 0..tiles {
            // heights that differ by one at most: a last tile of one or two rows would be slow
            let [first, last] = [tile, tile + 1].map(|t| t * rows / tiles);
            let left = Rows { values: &left.values[first * left.stride..], count: last - first, ..left };
            // the first tile brings the next panel near
            let right = Right { ahead: if tile == 0 { right.panel.len() } else { 0 }, ..right };
            let mut out = RowsMut { values: &mut out.values[first * out.stride..], stride: out.stride };
            match self {
                #[cfg(target_arch = "x86_64")]
                Self::Avx512 => x86::tile_512(left, right, &mut out),
                #[cfg(target_arch = "x86_64")]
                Self::Avx2 => x86::tile_256(left, right, &mut out),
                Self::Portable => plain_tile(left, right, &mut out),
            }
        }
    }

    /// out += left · right, the left factor given by its columns: the product of a transposed matrix.
    ///
    /// # Panics
    /// Where columns are shorter than `count`, or lines of the right factor or rows of the product than 32 numbers.
    ///
    /// # Determinism
    /// As [`multiply`](Self::multiply).
    pub fn add_by_columns(self, left: Columns<'_>, right: Lines<'_>, out: &mut RowsMut<'_>) {
        let height = self.height();
        for first in (0..left.count).step_by(height) {
            let left = Columns { values: &left.values[first..], count: height.min(left.count - first), ..left };
            let mut out = RowsMut { values: &mut out.values[first * out.stride..], stride: out.stride };
            match self {
                #[cfg(target_arch = "x86_64")]
                Self::Avx512 => x86::columns_512(left, right, &mut out),
                #[cfg(target_arch = "x86_64")]
                Self::Avx2 => x86::columns_256(left, right, &mut out),
                Self::Portable => plain_columns(left, right, &mut out),
            }
        }
    }
}

/// Columns that are worked on: half a panel or all of it.
pub(crate) fn wide(cols: usize) -> usize {
    if cols <= PANEL / 2 { PANEL / 2 } else { PANEL }
}

/// Rows of the plain kernel.
const HEIGHT: usize = 4;
/// Columns that it works on at a time.
const WIDTH: usize = 8;

/// The plain kernel, for up to four rows.
fn plain_tile(left: Rows<'_>, right: Right<'_>, out: &mut RowsMut<'_>) {
    for first in (0..wide(right.cols)).step_by(WIDTH) {
        let mut sums = [[0f32; WIDTH]; HEIGHT];
        sums.iter_mut().for_each(|sums| sums.copy_from_slice(&right.bias[first..][..WIDTH]));
        for (k, line) in right.panel.chunks_exact(PANEL).enumerate() {
            let line = &line[first..][..WIDTH];
            for (row, sums) in sums.iter_mut().enumerate().take(left.count) {
                let x = left.values[row * left.stride + k];
                sums.iter_mut().zip(line).for_each(|(s, w)| *s += x * w);
            }
        }
        for (row, sums) in sums.iter().enumerate().take(left.count) {
            let out = &mut out.values[row * out.stride + first..][..WIDTH];
            out.iter_mut().zip(sums).for_each(|(o, s)| *o = if right.add { *o + s } else { *s });
        }
    }
}

/// The plain kernel by columns.
fn plain_columns(left: Columns<'_>, right: Lines<'_>, out: &mut RowsMut<'_>) {
    let mut sums = [[0f32; PANEL]; HEIGHT];
    for k in 0..right.depth {
        let line = &right.values[k * right.stride..][..PANEL];
        let column = &left.values[k * left.stride..][..left.count];
        for (x, sums) in column.iter().zip(&mut sums) {
            sums.iter_mut().zip(line).for_each(|(s, w)| *s += x * w);
        }
    }
    for (row, sums) in sums.iter().enumerate().take(left.count) {
        out.values[row * out.stride..][..PANEL].iter_mut().zip(sums).for_each(|(o, s)| *o += s);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kernel_multiplies_as_the_formula_does() {
        let number = |i: usize| ((i * 7919) % 201) as f32 / 100.0 - 1.0;
        for (rows, depth, add) in [(1, 5, false), (3, 64, true), (12, 33, false), (13, 7, true), (29, 1, true)] {
            let (stride, width) = (depth + 3, PANEL + 5);
            let left: Vec<f32> = (0..rows * stride).map(number).collect();
            let panel: Vec<f32> = (0..depth * PANEL).map(|i| number(i + 11)).collect();
            let bias = std::array::from_fn(|i| number(i + 5));
            let before: Vec<f32> = (0..rows * width).map(|i| number(i + 3)).collect();
            for isa in Isa::found() {
                let mut out = before.clone();
                let right = Right { panel: &panel, bias: &bias, cols: PANEL, add, ahead: 0 };
                let target = &mut RowsMut { values: &mut out, stride: width };
                isa.multiply(Rows { values: &left, stride, count: rows }, right, target);
                for (at, &ours) in out.iter().enumerate() {
                    let (row, column) = (at / width, at % width);
                    let product = |k: usize| f64::from(left[row * stride + k]) * f64::from(panel[k * PANEL + column]);
                    let start = if add || column >= PANEL { f64::from(before[at]) } else { 0.0 };
                    let sum = |bias: &f32| f64::from(*bias) + (0..depth).map(product).sum::<f64>();
                    let exact = start + bias.get(column).map_or(0.0, sum);
                    assert!((f64::from(ours) - exact).abs() < 1e-4, "{isa:?} {rows}x{depth} at {at}");
                }
            }
        }
    }

    #[test]
    fn every_kernel_multiplies_by_columns_as_the_formula_does() {
        let number = |i: usize| ((i * 7919) % 201) as f32 / 100.0 - 1.0;
        for (rows, depth) in [(1, 5), (3, 64), (12, 33), (13, 7), (29, 1), (2, 0)] {
            let (stride, wide, width) = (rows + 3, PANEL + 7, PANEL + 5);
            let left: Vec<f32> = (0..depth * stride).map(number).collect();
            let right: Vec<f32> = (0..depth * wide).map(|i| number(i + 11)).collect();
            let before: Vec<f32> = (0..rows * width).map(|i| number(i + 3)).collect();
            for isa in Isa::found() {
                let mut out = before.clone();
                let target = &mut RowsMut { values: &mut out, stride: width };
                let columns = Columns { values: &left, stride, count: if depth == 0 { 0 } else { rows } };
                isa.add_by_columns(columns, Lines { values: &right, stride: wide, depth, cols: PANEL }, target);
                for (at, &ours) in out.iter().enumerate() {
                    let (row, column) = (at / width, at % width);
                    let product = |k: usize| f64::from(left[k * stride + row]) * f64::from(right[k * wide + column]);
                    let sum = if column < PANEL { (0..depth).map(product).sum() } else { 0.0 };
                    let exact = f64::from(before[at]) + sum;
                    assert!((f64::from(ours) - exact).abs() < 1e-4, "{isa:?} {rows}x{depth} at {at}");
                }
            }
        }
    }

    #[test]
    fn half_a_panel_is_the_first_half_of_the_whole() {
        let number = |i: usize| ((i * 7919) % 201) as f32 / 100.0 - 1.0;
        let (rows, depth) = (29, 40);
        let left: Vec<f32> = (0..rows * depth).map(number).collect();
        let panel: Vec<f32> = (0..depth * PANEL).map(|i| number(i + 11)).collect();
        for isa in Isa::found() {
            let both = |cols: usize| {
                let mut out = [(); 2].map(|()| vec![0.25; rows * PANEL]);
                let right = Right { panel: &panel, bias: &[0.5; PANEL], cols, add: true, ahead: 0 };
                let by_rows = Rows { values: &left, stride: depth, count: rows };
                isa.multiply(by_rows, right, &mut RowsMut { values: &mut out[0], stride: PANEL });
                let by_columns = Columns { values: &left, stride: rows, count: rows };
                let lines = Lines { values: &panel, stride: PANEL, depth, cols };
                isa.add_by_columns(by_columns, lines, &mut RowsMut { values: &mut out[1], stride: PANEL });
                out.map(|out| out.chunks_exact(PANEL).flat_map(|row| row[..16].to_vec()).collect::<Vec<_>>())
            };
            assert!([1, 16].into_iter().all(|cols| both(cols) == both(PANEL)), "{isa:?}");
        }
    }

    #[test]
    fn a_row_does_not_depend_on_the_rows_beside_it() {
        let number = |i: usize| ((i * 7919) % 201) as f32 / 100.0 - 1.0;
        let (rows, depth) = (27, 50);
        let left: Vec<f32> = (0..rows * depth).map(number).collect();
        let panel: Vec<f32> = (0..depth * PANEL).map(number).collect();
        let right = Right { panel: &panel, bias: &[0.5; PANEL], cols: PANEL, add: false, ahead: 0 };
        for isa in Isa::found() {
            let product = |first: usize, last: usize| {
                let mut out = vec![0.0; (last - first) * PANEL];
                let left = Rows { values: &left[first * depth..], stride: depth, count: last - first };
                isa.multiply(left, right, &mut RowsMut { values: &mut out, stride: PANEL });
                out
            };
            let parts: Vec<f32> =
                [(0, 1), (1, 6), (6, 20), (20, 27)].iter().flat_map(|&(a, b)| product(a, b)).collect();
            assert_eq!(parts, product(0, rows), "{isa:?}");
        }
    }
}
