//! Row-major matrices → panels of 32 columns, as the kernels read a right factor.

use crate::microkernel::{PANEL, Rows};

/// Rows of `depth` numbers → panels of 32 columns, depth × 32 each: the transposed matrix.
///
/// # Panics
/// Where `panels` is shorter than the panels that the rows begin.
pub fn pack_transposed(rows: Rows<'_>, depth: usize, panels: &mut [f32]) {
    for row in 0..rows.count {
        let (panel, column) = (row / PANEL, row % PANEL);
        let values = &rows.values[row * rows.stride..][..depth];
        let panel = &mut panels[panel * depth * PANEL..][..depth * PANEL];
        panel.chunks_exact_mut(PANEL).zip(values).for_each(|(line, &v)| line[column] = v);
    }
}

/// Rows of `cols` numbers → panels of 32 columns, a line per row; what lies beyond the last column is left as it is.
///
/// # Panics
/// Where `panels` is shorter than the panels that the columns begin.
///
/// # Examples
/// ```
/// use segcut_kernel::{Isa, PANEL, Right, Rows, RowsMut, pack};
/// // 2×3 times 3×2
/// let (a, b) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
/// let mut panel = vec![0.0; 3 * PANEL];
/// pack(Rows { values: &b, stride: 2, count: 3 }, 2, &mut panel);
/// let mut out = vec![0.0; 2 * PANEL];
/// let right = Right { panel: &panel, bias: &[0.0; PANEL], cols: 2, add: false, ahead: 0 };
/// let left = Rows { values: &a, stride: 3, count: 2 };
/// Isa::best().multiply(left, right, &mut RowsMut { values: &mut out, stride: PANEL });
/// assert_eq!((&out[..2], &out[PANEL..][..2]), (&[4.0, 5.0][..], &[10.0, 11.0][..]));
/// ```
pub fn pack(rows: Rows<'_>, cols: usize, panels: &mut [f32]) {
    for first in (0..cols).step_by(PANEL) {
        let width = PANEL.min(cols - first);
        let panel = &mut panels[first * rows.count..][..rows.count * PANEL];
        for (line, row) in panel.chunks_exact_mut(PANEL).zip(rows.values.chunks(rows.stride.max(1))) {
            line[..width].copy_from_slice(&row[first..][..width]);
        }
    }
}
