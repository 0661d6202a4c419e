//! Rows of values → means over the cells of a coarser grid.

use crate::RowShape;

/// Rows of values, one after the other → the mean of what lies in each cell of a coarser grid.
///
/// Cells need not be whole pixels wide: a pixel on the border of cells counts in each by its share of area, as
/// OpenCV's `INTER_AREA` does. Every channel is averaged on its own.
///
/// # Examples
/// ```
/// use segcut_pixel::{AreaMean, RowShape};
/// let mut mean = AreaMean::new(RowShape { height: 1, width: 3, channels: 1 }, [1, 2]);
/// mean.add_row(&[0.0, 3.0, 6.0]);
/// assert_eq!(mean.finish(), [1.0, 5.0]);
/// ```
#[derive(Debug, Clone)]
pub struct AreaMean {
    channels: usize,
    rows: Vec<Overlap>,
    columns: Vec<Overlap>,
    next: usize,
    line: Vec<f32>,
    sums: Vec<f32>,
}

/// The one or two cells that a pixel lies in: the first one, its share of it, and its share of the one behind.
///
/// Shares are parts of the cell, so that they sum to 1 over a cell.
#[derive(Debug, Clone, Copy)]
struct Overlap {
    first: usize,
    shares: [f32; 2],
}

impl AreaMean {
    /// Means over `cells` (rows, columns) of rows of this shape.
    ///
    /// # Panics
    /// Where there are no cells, or more of them than pixels along an axis.
    pub fn new(shape: RowShape, cells: [usize; 2]) -> Self {
        let line = vec![0.0; cells[1] * shape.channels];
        Self {
            channels: shape.channels,
            rows: overlaps(shape.height, cells[0]),
            columns: overlaps(shape.width, cells[1]),
            next: 0,
            sums: vec![0.0; cells[0] * line.len()],
            line,
        }
    }

    /// Adds the next row (width·channels values); rows beyond the last one count for nothing.
    ///
    /// # Panics
    /// Where the row has another length.
    pub fn add_row(&mut self, row: &[f32]) {
        assert_eq!(row.len(), self.columns.len() * self.channels, "a row of the shape");
        let Some(&Overlap { first, shares }) = self.rows.get(self.next) else { return };
        self.next += 1;
        self.line.fill(0.0);
        for (pixel, column) in row.chunks_exact(self.channels).zip(&self.columns) {
            let cells = self.line[column.first * self.channels..].chunks_exact_mut(self.channels);
            for (cell, share) in cells.zip(column.shares).filter(|(_, share)| *share > 0.0) {
                cell.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += share * value);
            }
        }
        let cells = self.sums[first * self.line.len()..].chunks_exact_mut(self.line.len());
        for (cells, share) in cells.zip(shares).filter(|(_, share)| *share > 0.0) {
            cells.iter_mut().zip(&self.line).for_each(|(sum, value)| *sum += share * value);
        }
    }

    /// The means, row-major with the channels interleaved.
    pub fn finish(self) -> Vec<f32> {
        self.sums
    }
}

fn overlaps(pixels: usize, cells: usize) -> Vec<Overlap> {
    assert!((1..=pixels).contains(&cells), "{cells} cells over {pixels} pixels");
    // In units of 1/pixels of a cell, pixel i reaches from i·cells to (i + 1)·cells.
    let overlap = |i: usize| {
        let (start, end) = (i * cells, (i + 1) * cells);
        let first = start / pixels;
        let border = ((first + 1) * pixels).min(end);
        Overlap { first, shares: [border - start, end - border].map(|part| part as f32 / pixels as f32) }
    };
    (0..pixels).map(overlap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equal_to_means_of_the_image_repeated(
            (height, width, channels) in (1usize..9, 1usize..9, 1usize..4), (down, across) in (1usize..9, 1usize..9),
        ) {
            let cells = [down.min(height), across.min(width)];
            let value = |y: usize, x: usize, c: usize| ((y * 31 + x * 17 + c * 5) % 23) as f32;
            let mut mean = AreaMean::new(RowShape { height, width, channels }, cells);
            for y in 0..height {
                let row: Vec<f32> = (0..width * channels).map(|i| value(y, i / channels, i % channels)).collect();
                mean.add_row(&row);
            }
            let found = mean.finish();
            prop_assert_eq!(found.len(), cells[0] * cells[1] * channels);
            // Every pixel repeated cells×cells times fills cells of height×width whole pixels.
            for (i, found) in found.iter().enumerate() {
                let (cell, c) = (i / channels, i % channels);
                let (top, left) = (cell / cells[1] * height, cell % cells[1] * width);
                let fine = (top..top + height).flat_map(|y| (left..left + width).map(move |x| (y, x)));
                let sum: f32 = fine.map(|(y, x)| value(y / cells[0], x / cells[1], c)).sum();
                prop_assert!((found - sum / (height * width) as f32).abs() < 1e-4);
            }
        }
    }
}
