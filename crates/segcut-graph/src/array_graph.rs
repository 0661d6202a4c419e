//! Array of two or three axes → gradient graph of its cells.

use crate::GradientParams;
use segcut_core::{Affinity, AffinityError, Geometry, GraphError, RegionGraph, SparseAffinity, StageError};
use thiserror::Error;

/// Why an array makes no graph.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ArrayGraphError {
    /// Not two or three axes, or values that do not fill the shape.
    #[error("an array of shape {shape:?} with {values} values is no image of 2 or 3 dimensions")]
    Shape {
        /// Its sides.
        shape: Vec<usize>,
        /// Its values.
        values: usize,
    },
    /// A mask of another size.
    #[error("the mask has {mask} cells, the array {array}")]
    Mask {
        /// Cells of the mask.
        mask: usize,
        /// Cells of the array.
        array: usize,
    },
    /// A cell inside the mask that is not finite.
    #[error("cell {0} (in reading order, from 0) is not finite")]
    NotFinite(usize),
    /// The weights make no affinity.
    #[error(transparent)]
    Affinity(#[from] AffinityError),
    /// The places do not fit the graph.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

/// A graph of the cells of an array.
#[derive(Debug, Clone, PartialEq)]
pub struct ArrayGraph {
    /// Nodes and weights; of an array with two axes the nodes have places.
    pub graph: RegionGraph,
    /// The cell of each node, in reading order; all cells without a mask.
    pub cells: Vec<u32>,
}

/// Gray values on a grid of 2 or 3 axes → graph of neighbouring cells with weights exp(−beta·|difference|/s) + eps.
///
/// scikit-learn's `img_to_graph` with the exponential of its example of coins; s as in [`GradientParams`]. Cells
/// outside the mask are no nodes. Neighbours share a face (connectivity 4) or touch at all (8), or lie within the radius.
///
/// # Errors
/// [`ArrayGraphError`] inside a [`StageError::Data`]; refused parameters.
///
/// # Cost
/// O(cells · neighbours).
///
/// # Examples
/// ```
/// use segcut_graph::{GradientParams, array_graph};
/// let found = array_graph(&[2, 2], &[0.0, 0.0, 0.0, 1.0], None, &GradientParams::default())?;
/// assert_eq!(found.graph.affinity().sparse().unwrap().edges(), [[0, 1], [0, 2], [1, 3], [2, 3]]);
/// # Ok::<(), segcut_core::StageError>(())
/// ```
pub fn array_graph(
    shape: &[usize],
    values: &[f64],
    mask: Option<&[bool]>,
    params: &GradientParams,
) -> Result<ArrayGraph, StageError> {
    params.check()?;
    build(shape, values, mask, params).map_err(StageError::data)
}

fn build(
    shape: &[usize],
    values: &[f64],
    mask: Option<&[bool]>,
    params: &GradientParams,
) -> Result<ArrayGraph, ArrayGraphError> {
    let cells = shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side));
    if !(2..=3).contains(&shape.len()) || cells != Some(values.len()) || values.len() >= u32::MAX as usize {
        return Err(ArrayGraphError::Shape { shape: shape.to_vec(), values: values.len() });
    }
    if let Some(mask) = mask.filter(|mask| mask.len() != values.len()) {
        return Err(ArrayGraphError::Mask { mask: mask.len(), array: values.len() });
    }
    let inside = |cell: usize| mask.is_none_or(|mask| mask[cell]);
    if let Some(cell) = (0..values.len()).find(|&cell| inside(cell) && !values[cell].is_finite()) {
        return Err(ArrayGraphError::NotFinite(cell));
    }
    let cells: Vec<u32> = (0..values.len() as u32).filter(|&cell| inside(cell as usize)).collect();
    let mut node = vec![u32::MAX; values.len()];
    (0..).zip(&cells).for_each(|(i, &cell)| node[cell as usize] = i);
    let space = [if shape.len() == 3 { shape[0] } else { 1 }, shape[shape.len() - 2], shape[shape.len() - 1]];
    let (edges, gradients) = edges(space, values, &cells, &node, &offsets(params, shape.len() == 3));
    let held: Vec<f64> = cells.iter().map(|&cell| values[cell as usize]).collect();
    let weights = params.weights(&gradients, &held);
    let graph = RegionGraph::new(Affinity::Sparse(SparseAffinity::new(cells.len(), edges, weights)?));
    let graph = if shape.len() == 2 { graph.with_geometry(geometry(space, &cells))? } else { graph };
    Ok(ArrayGraph { graph, cells })
}

/// Steps to the neighbours that come later in reading order, in reading order.
fn offsets(params: &GradientParams, deep: bool) -> Vec<[isize; 3]> {
    let reach = params.radius as isize;
    let depth = if deep { reach } else { 0 };
    let mut offsets = Vec::new();
    for z in 0..=depth {
        for y in -reach..=reach {
            for x in -reach..=reach {
                let length2 = (x * x + y * y + z * z) as f64;
                let touching = params.connectivity == 8 && x.abs().max(y.abs()).max(z) == 1;
                if [z, y, x] > [0, 0, 0] && (touching || length2 <= params.radius * params.radius) {
                    offsets.push([z, y, x]);
                }
            }
        }
    }
    offsets
}

fn edges(
    [deep, high, wide]: [usize; 3],
    values: &[f64],
    cells: &[u32],
    node: &[u32],
    offsets: &[[isize; 3]],
) -> (Vec<[u32; 2]>, Vec<f64>) {
    let (mut edges, mut gradients) = (Vec::new(), Vec::new());
    for (u, &cell) in (0u32..).zip(cells) {
        let at = cell as usize;
        let place = [at / (high * wide), at / wide % high, at % wide];
        for offset in offsets {
            let moved: [Option<usize>; 3] = std::array::from_fn(|axis| place[axis].checked_add_signed(offset[axis]));
            let [Some(z), Some(y), Some(x)] = moved else { continue };
            if z >= deep || y >= high || x >= wide {
                continue;
            }
            let other = (z * high + y) * wide + x;
            if node[other] != u32::MAX {
                edges.push([u, node[other]]);
                gradients.push((values[at] - values[other]).abs());
            }
        }
    }
    (edges, gradients)
}

fn geometry([_, high, wide]: [usize; 3], cells: &[u32]) -> Geometry {
    let place = |&cell: &u32| [cell as usize / wide, cell as usize % wide];
    let frame = (high * wide - high.saturating_sub(2) * wide.saturating_sub(2)).max(1) as f64;
    let on_frame = |[y, x]: [usize; 2]| y == 0 || x == 0 || y + 1 == high || x + 1 == wide;
    Geometry {
        image_size: [high, wide],
        size: vec![1.0; cells.len()],
        centroid: cells.iter().map(|cell| place(cell).map(|p| p as f64)).collect(),
        border_share: cells.iter().map(|cell| if on_frame(place(cell)) { 1.0 / frame } else { 0.0 }).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(shape: &[usize], params: &GradientParams) -> usize {
        let cells = shape.iter().product();
        let graph = array_graph(shape, &vec![0.0; cells], None, params).unwrap().graph;
        graph.affinity().sparse().unwrap().edges().len()
    }

    #[test]
    fn neighbours_of_planes_and_boxes() {
        let four = GradientParams::default();
        let eight = GradientParams { connectivity: 8, ..four.clone() };
        let far = GradientParams { radius: 2.0, ..four.clone() };
        assert_eq!((count(&[3, 4], &four), count(&[3, 4], &eight)), (17, 29));
        assert_eq!((count(&[2, 2, 2], &four), count(&[2, 2, 2], &eight)), (12, 28));
        assert_eq!(count(&[1, 5], &far), 7);
        assert_eq!(count(&[5, 1, 1], &far), 7);
    }

    #[test]
    fn masked_cells_are_no_nodes() {
        let mask = [true, false, true, true];
        let values = [1.0, f64::NAN, 1.0, 3.0];
        let found = array_graph(&[2, 2], &values, Some(&mask), &GradientParams::default()).unwrap();
        assert_eq!(found.cells, [0, 2, 3]);
        assert_eq!(found.graph.affinity().sparse().unwrap().edges(), [[0, 1], [1, 2]]);
        assert_eq!(found.graph.geometry().unwrap().centroid[2], [1.0, 1.0]);
        let error = array_graph(&[2, 2], &values, None, &GradientParams::default()).unwrap_err().to_string();
        assert_eq!(error, "cell 1 (in reading order, from 0) is not finite");
    }

    #[test]
    fn wrong_shapes_are_named() {
        for (shape, values) in [(&[4][..], 4), (&[2, 2, 2, 2], 16), (&[2, 3], 5)] {
            let error = array_graph(shape, &vec![0.0; values], None, &GradientParams::default()).unwrap_err();
            assert!(error.to_string().contains("is no image of 2 or 3 dimensions"), "{error}");
        }
    }
}
