//! Graphs with coordinates to an elimination order by nested dissection.

use crate::pencil::Pencil;

/// Parts of this many nodes are not cut further.
const LEAF: usize = 16;

/// An elimination order of a graph whose nodes lie in the plane: halves first, the separator between them last.
///
/// George 1973, with separators from coordinates: a part is cut at the median of its longer axis, and the nodes
/// of the upper half with a neighbor in the lower half separate. On a grid that is one line of nodes.
///
/// # Cost
/// O((n + edges)·log n).
pub(crate) fn nested_dissection(pencil: &Pencil, positions: &[[f64; 2]]) -> Vec<u32> {
    let n = pencil.n();
    let mut order = Vec::with_capacity(n);
    let mut dissection = Dissection { pencil, positions, stamp: vec![0; n], stamps: 0 };
    dissection.cut((0..n as u32).collect(), &mut order);
    order
}

struct Dissection<'a> {
    pencil: &'a Pencil,
    positions: &'a [[f64; 2]],
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
        let touches =
            |&node: &u32| self.pencil.row(node as usize).0.iter().any(|&other| self.stamp[other as usize] == stamps);
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
    use crate::eigen::ldlt::EliminationTree;
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
        assert!(3 * fill(&dissected) < 2 * fill(&pencil), "{} {}", fill(&dissected), fill(&pencil));
    }
}
