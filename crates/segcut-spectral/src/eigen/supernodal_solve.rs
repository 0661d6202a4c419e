//! Four right-hand sides side by side through a supernodal Cholesky factor.

use super::row_blocks::{Row, WIDTH, add_outer, add_rows, dispatch};
use faer::sparse::linalg::cholesky::supernodal::SymbolicSupernodalCholesky;
use pulp::{Simd, WithSimd};

/// Columns of a panel.
const PANEL: usize = 4;

/// A factor L in the order in which solving reads it: panels of four columns of a supernode, row by row, from the
/// diagonal down; a last panel of fewer columns is filled up with zeros.
///
/// One stream instead of four columns, and no upper triangles (Davis, Rajamanickam & Sid-Lakhdar 2016, section 4.3,
/// on solving by panels).
pub(crate) struct PanelFactor<'a> {
    symbolic: &'a SymbolicSupernodalCholesky<u32>,
    /// Diagonal entries are inverted.
    rows: Vec<[f64; PANEL]>,
}

impl<'a> PanelFactor<'a> {
    /// Repacks faer's values, which are columns of supernodes.
    pub(super) fn new(symbolic: &'a SymbolicSupernodalCholesky<u32>, values: &[f64]) -> Self {
        let nodes = || (0..symbolic.n_supernodes()).map(|s| Supernode::of(symbolic, s));
        let len = |node: Supernode<'_>| (0..node.width).step_by(PANEL).map(|j| node.height() - j).sum::<usize>();
        let mut rows = Vec::with_capacity(nodes().map(len).sum());
        for (s, node) in nodes().enumerate() {
            let columns = &values[symbolic.col_ptr_for_val()[s] as usize..];
            for j in (0..node.width).step_by(PANEL) {
                let wide = PANEL.min(node.width - j);
                for i in j..node.height() {
                    let mut row = [0.0; PANEL];
                    for (t, l) in row.iter_mut().enumerate().take(wide.min(i - j + 1)) {
                        *l = columns[(j + t) * node.height() + i];
                    }
                    if i - j < wide {
                        row[i - j] = row[i - j].recip();
                    }
                    rows.push(row);
                }
            }
        }
        Self { symbolic, rows }
    }

    /// x ← (L·Lᵀ)⁻¹·x for n rows of four right-hand sides.
    pub(crate) fn solve(&self, x: &mut [Row]) {
        dispatch(Solve { factor: self, x });
    }
}

/// Columns with one pattern.
#[derive(Clone, Copy)]
struct Supernode<'a> {
    start: usize,
    width: usize,
    /// Rows below the triangle.
    pattern: &'a [u32],
}

impl<'a> Supernode<'a> {
    #[inline(always)]
    fn of(symbolic: &'a SymbolicSupernodalCholesky<u32>, s: usize) -> Self {
        let node = symbolic.supernode(s);
        let (start, pattern) = (node.start(), node.pattern());
        Self { start, width: symbolic.supernode_end()[s] as usize - start, pattern }
    }

    fn height(&self) -> usize {
        self.width + self.pattern.len()
    }
}

struct Solve<'a> {
    factor: &'a PanelFactor<'a>,
    x: &'a mut [Row],
}

impl WithSimd for Solve<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { factor, x } = self;
        // The supernode's rows of x, those of its triangle first.
        let mut local: Vec<Row> = Vec::new();
        forward_nodes(simd, factor, x, &mut local);
        backward_nodes(simd, factor, x, &mut local);
    }
}

/// x ← L⁻¹·x, supernode after supernode.
#[inline(always)]
fn forward_nodes<S: Simd>(simd: S, factor: &PanelFactor<'_>, x: &mut [Row], local: &mut Vec<Row>) {
    let mut panels = &factor.rows[..];
    for s in 0..factor.symbolic.n_supernodes() {
        let node = Supernode::of(factor.symbolic, s);
        let own = &mut x[node.start..node.start + node.width];
        local.clear();
        local.extend_from_slice(own);
        local.resize(node.height(), [0.0; WIDTH]);
        for j in (0..node.width).step_by(PANEL) {
            let (panel, rest) = panels.split_at(node.height() - j);
            forward(simd, panel, &mut local[j..], PANEL.min(node.width - j));
            panels = rest;
        }
        own.copy_from_slice(&local[..node.width]);
        for (&i, row) in node.pattern.iter().zip(&local[node.width..]) {
            x[i as usize].iter_mut().zip(row).for_each(|(x, add)| *x += add);
        }
    }
}

/// x ← L⁻ᵀ·x, from the last supernode to the first.
#[inline(always)]
fn backward_nodes<S: Simd>(simd: S, factor: &PanelFactor<'_>, x: &mut [Row], local: &mut Vec<Row>) {
    let mut panels = &factor.rows[..];
    for s in (0..factor.symbolic.n_supernodes()).rev() {
        let node = Supernode::of(factor.symbolic, s);
        local.clear();
        local.extend_from_slice(&x[node.start..node.start + node.width]);
        local.extend(node.pattern.iter().map(|&i| x[i as usize]));
        for j in (0..node.width).step_by(PANEL).rev() {
            let (rest, panel) = panels.split_at(panels.len() - (node.height() - j));
            backward(simd, panel, &mut local[j..], PANEL.min(node.width - j));
            panels = rest;
        }
        x[node.start..node.start + node.width].copy_from_slice(&local[..node.width]);
    }
}

/// Solves for the first `wide` rows and takes them out of the others.
#[inline(always)]
fn forward<S: Simd>(simd: S, panel: &[[f64; PANEL]], local: &mut [Row], wide: usize) {
    let lanes = WIDTH / S::F64_LANES;
    let local = &mut S::as_mut_simd_f64s(local.as_flattened_mut()).0[..panel.len() * lanes];
    for lane in 0..lanes {
        // Negated, for the rows below add.
        let mut solved = [simd.splat_f64s(0.0); PANEL];
        for t in 0..wide {
            let row = add_rows(simd, &solved, &above(&panel[t], t), local[t * lanes + lane]);
            let row = simd.mul_f64s(row, simd.splat_f64s(panel[t][t]));
            local[t * lanes + lane] = row;
            solved[t] = simd.neg_f64s(row);
        }
        for (l, row) in panel[wide..].iter().zip(local[wide * lanes..].chunks_exact_mut(lanes)) {
            row[lane] = add_rows(simd, &solved, l, row[lane]);
        }
    }
}

/// The entries before the diagonal of row t.
#[inline(always)]
fn above(row: &[f64; PANEL], t: usize) -> [f64; PANEL] {
    std::array::from_fn(|s| if s < t { row[s] } else { 0.0 })
}

/// Solves for the first `wide` rows given the others.
#[inline(always)]
fn backward<S: Simd>(simd: S, panel: &[[f64; PANEL]], local: &mut [Row], wide: usize) {
    let lanes = WIDTH / S::F64_LANES;
    let local = &mut S::as_mut_simd_f64s(local.as_flattened_mut()).0[..panel.len() * lanes];
    for lane in 0..lanes {
        // Two sums of every second row: one would wait for its last addition.
        let mut sums = [[simd.splat_f64s(0.0); PANEL]; 2];
        let (top, below) = local.split_at_mut(wide * lanes);
        for (l, row) in panel[wide..].chunks(2).zip(below.chunks(2 * lanes)) {
            for (i, l) in l.iter().enumerate() {
                add_outer(simd, &mut sums[i], l, row[i * lanes + lane]);
            }
        }
        let mut sums: [S::f64s; PANEL] = std::array::from_fn(|t| simd.add_f64s(sums[0][t], sums[1][t]));
        for t in (0..wide).rev() {
            let row = simd.sub_f64s(top[t * lanes + lane], sums[t]);
            let row = simd.mul_f64s(row, simd.splat_f64s(panel[t][t]));
            top[t * lanes + lane] = row;
            add_outer(simd, &mut sums, &above(&panel[t], t), row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eigen::cholesky::{Analysis, Factor};
    use crate::pencil::{Laplacian, Pencil};
    use segcut_core::SparseAffinity;

    #[test]
    fn four_columns_equal_four_solutions() {
        let side = 40u32;
        let right = (0..side * side).filter(|i| i % side + 1 < side).map(|i| [i, i + 1]);
        let down = (0..side * (side - 1)).map(|i| [i, i + side]);
        let mut edges: Vec<[u32; 2]> = right.chain(down).collect();
        edges.sort_unstable();
        let weights = (0..edges.len()).map(|i| 0.1 + (i % 7) as f64).collect();
        let affinity = SparseAffinity::new((side * side) as usize, edges, weights).unwrap();
        let pencil = Pencil::new(&affinity, Laplacian::Normalized, 0.0).unwrap();
        let analysis = Analysis::supernodal(&pencil).unwrap();
        let scale: Vec<f64> = pencil.mass().iter().map(|m| m.sqrt().recip()).collect();
        let factor = analysis.factorize(&pencil, &scale, &vec![1.01; pencil.n()]).unwrap();
        let Factor::Supernodal { symbolic, values } = &factor else { panic!("by blocks") };
        let panels = PanelFactor::new(symbolic, values);
        let mut x: Vec<Row> =
            (0..pencil.n()).map(|i| std::array::from_fn(|j| ((i * 5 + j) as f64 * 0.7).sin())).collect();
        let columns: Vec<Vec<f64>> = (0..WIDTH).map(|j| x.iter().map(|row| row[j]).collect()).collect();
        panels.solve(&mut x);
        for (j, mut column) in columns.into_iter().enumerate() {
            factor.solve(&mut column, 1).unwrap();
            for (row, expected) in x.iter().zip(&column) {
                assert!((row[j] - expected).abs() < 1e-10 * expected.abs().max(1.0));
            }
        }
    }
}
