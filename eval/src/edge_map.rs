//! Label map to boundary pixels, as the Berkeley benchmark draws them.

use crate::thinning::thin;
use segcut_core::{LabelMap, Mask, VOID};

/// Label map → pixels whose right, lower or lower-right neighbour has another label.
///
/// The edge map of the Berkeley benchmark (`seg2bmap`): the boundary is drawn at the upper left one of two
/// unlike pixels; in the last row only the right, in the last column only the lower neighbour counts. Unlike there, a pair
/// with a VOID pixel makes no boundary.
///
/// # Examples
/// ```
/// use segcut_core::LabelMap;
/// let map = LabelMap::new(2, 3, vec![0, 0, 1, 0, 0, 0])?;
/// let edges = segcut_eval::edge_map(&map);
/// assert_eq!(edges.bits(), [false, true, true, false, false, false]);
/// # Ok::<(), segcut_core::LabelMapError>(())
/// ```
pub fn edge_map(map: &LabelMap) -> Mask {
    let [height, width] = [map.height(), map.width()];
    let mut edges = Mask::filled(height, width, false);
    if width == 0 {
        return edges;
    }
    let rows: Vec<&[u32]> = map.labels().chunks_exact(width).collect();
    for (row, bits) in edges.bits_mut().chunks_exact_mut(width).enumerate() {
        let upper = rows[row];
        let lower = rows.get(row + 1).copied();
        for column in 0..width {
            let label = upper[column];
            let right = upper.get(column + 1).copied();
            let below = lower.map(|l| l[column]);
            let diagonal = lower.and_then(|l| l.get(column + 1)).copied();
            bits[column] = [right, below, diagonal].into_iter().flatten().any(|other| parts(label, other));
        }
    }
    edges
}

/// Label map → its thinned edge map, the form in which boundaries are compared.
pub fn boundary(map: &LabelMap) -> Mask {
    thin(&edge_map(map))
}

fn parts(label: u32, other: u32) -> bool {
    label != other && label != VOID && other != VOID
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn void_makes_no_boundary() {
        let map = LabelMap::new(2, 2, vec![0, VOID, 0, 0]).unwrap();
        assert_eq!(edge_map(&map).count(), 0);
        let map = LabelMap::new(2, 2, vec![0, VOID, VOID, 1]).unwrap();
        assert_eq!(edge_map(&map).bits(), [true, false, false, false]);
        assert_eq!(edge_map(&LabelMap::new(0, 0, vec![]).unwrap()).count(), 0);
    }
}
