//! Graphs with coordinates to an elimination order by nested dissection.

use crate::pencil::Pencil;
use std::f64::consts::FRAC_1_SQRT_2;

/// Parts of this many nodes are not cut further.
const LEAF: usize = 8;

/// Axes are turned by half a right angle where the edges reach less far along the turned ones than this share.
const TURNED: f64 = 0.9;

/// An elimination order of a graph whose nodes lie in the plane: halves first, the separator between them last.
///
/// George 1973, with separators from coordinates: a part is cut at the median of its longer axis, and the nodes
/// of the upper half with a neighbor in the lower half separate. On a grid that is one line of nodes. On a grid of
/// 4-neighbors lines run along diagonals, which pass a length with √½ times the nodes: a third less fill.
///
/// # Cost
/// O(n·log n + edges).
pub(crate) fn nested_dissection(pencil: &Pencil, positions: &[[f64; 2]]) -> Vec<u32> {
    let n = pencil.n();
    let turned: Vec<[f64; 2]> =
        positions.iter().map(|[x, y]| [(x + y) * FRAC_1_SQRT_2, (x - y) * FRAC_1_SQRT_2]).collect();
    let (straight, diagonal) = (reach(pencil, positions), reach(pencil, &turned));
    let longest = |reach: [f64; 2]| reach[0].max(reach[1]);
    let (positions, reach) =
        if longest(diagonal) < TURNED * longest(straight) { (&turned[..], diagonal) } else { (positions, straight) };
    let mut order = Vec::with_capacity(n);
    let mut dissection = Dissection { pencil, positions, reach, stamp: vec![0; n], stamps: 0 };
    dissection.cut((0..n as u32).collect(), &mut order);
    order
}

/// The longest edge along each axis, rounded up.
fn reach(pencil: &Pencil, positions: &[[f64; 2]]) -> [f64; 2] {
    let mut reach = [0.0f64; 2];
    for (i, from) in positions.iter().enumerate() {
        for &j in pencil.row(i).0 {
            let to = positions[j as usize];
            reach = [0, 1].map(|axis| reach[axis].max((to[axis] - from[axis]).abs()));
        }
    }
    reach.map(|r| r * (1.0 + 1e-9))
}

struct Dissection<'a> {
    pencil: &'a Pencil,
    positions: &'a [[f64; 2]],
    reach: [f64; 2],
    /// The last cut in whose lower half a node was.
    stamp: Vec<u32>,
    stamps: u32,
}

impl Dissection<'_> {
    fn cut(&mut self, nodes: Vec<u32>, order: &mut Vec<u32>) {
        if nodes.len() <= LEAF {
            order.extend(nodes);
            return;
        }
        let axis = self.longer_axis(&nodes);
        let at = |node: u32| self.positions[node as usize][axis];
        let mut values: Vec<f64> = nodes.iter().map(|&node| at(node)).collect();
        let middle = values.len() / 2;
        let median = *values.select_nth_unstable_by(middle, f64::total_cmp).1;
        let (lower, upper): (Vec<u32>, Vec<u32>) = nodes.iter().partition(|&&node| at(node) < median);
        if lower.is_empty() {
            order.extend(upper);
            return;
        }
        self.stamps += 1;
        for &node in &lower {
            self.stamp[node as usize] = self.stamps;
        }
        let stamps = self.stamps;
        let far = median + self.reach[axis];
        let touches = |&node: &u32| {
            let near = || self.pencil.row(node as usize).0.iter().any(|&other| self.stamp[other as usize] == stamps);
            at(node) <= far && near()
        };
        let (mut separator, upper): (Vec<u32>, Vec<u32>) = upper.into_iter().partition(touches);
        let across = |node: u32| self.positions[node as usize][1 - axis];
        separator.sort_by(|&a, &b| across(a).total_cmp(&across(b)).then(a.cmp(&b)));
        drop(nodes);
        self.cut(lower, order);
        self.cut(upper, order);
        order.extend(separator);
    }

    fn longer_axis(&self, nodes: &[u32]) -> usize {
        let mut low = [f64::INFINITY; 2];
        let mut high = [f64::NEG_INFINITY; 2];
        for &node in nodes {
            for axis in 0..2 {
                let x = self.positions[node as usize][axis];
                low[axis] = low[axis].min(x);
                high[axis] = high[axis].max(x);
            }
        }
        usize::from(high[1] - low[1] > high[0] - low[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eigen::elimination_tree::EliminationTree;
    use crate::pencil::Laplacian;
    use segcut_core::SparseAffinity;

    #[test]
    fn grids_fill_little() {
        let side = 64u32;
        let mut edges = Vec::new();
        for i in 0..side * side {
            if i % side + 1 < side {
                edges.push([i, i + 1]);
            }
            if i + side < side * side {
                edges.push([i, i + side]);
            }
        }
        let weights = vec![1.0; edges.len()];
        let affinity = SparseAffinity::new((side * side) as usize, edges, weights).unwrap();
        let pencil = Pencil::new(&affinity, Laplacian::Normalized, 0.0).unwrap();
        let positions: Vec<[f64; 2]> = (0..side * side).map(|i| [f64::from(i / side), f64::from(i % side)]).collect();
        let order = nested_dissection(&pencil, &positions);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert!(sorted.iter().enumerate().all(|(i, &node)| i == node as usize));
        let fill = |pencil: &Pencil| EliminationTree::new(pencil, usize::MAX).unwrap().factor_len();
        let dissected = pencil.induced(&order, &mut vec![u32::MAX; pencil.n()]);
        assert!(2 * fill(&dissected) < fill(&pencil), "{} {}", fill(&dissected), fill(&pencil));
    }
}
