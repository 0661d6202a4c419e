//! Picture → a small picture of it.

use super::Picture;
use std::ops::Range;

impl Picture {
    /// The picture with its longer side at most `max_side` (at least 1): every new pixel is the mean of the pixels
    /// that it covers in part or whole. Smaller pictures stay as they are.
    ///
    /// ```
    /// use segcut_io::overlay::Picture;
    /// let small = Picture::filled(100, 50, [9; 3]).thumbnail(10);
    /// assert_eq!((small.height(), small.width(), small.rgb()[0]), (10, 5, 9));
    /// ```
    #[must_use]
    pub fn thumbnail(&self, max_side: usize) -> Self {
        let longer = self.height.max(self.width);
        let max_side = max_side.max(1);
        if longer <= max_side {
            return self.clone();
        }
        let shrink = |side: usize| ((side * max_side + longer / 2) / longer).max(1);
        let (height, width) = (shrink(self.height), shrink(self.width));
        let columns: Vec<Range<usize>> = (0..width).map(|x| covered(x, width, self.width)).collect();
        let mut rgb = Vec::with_capacity(3 * height * width);
        let mut sums = vec![[0u32; 3]; self.width];
        for y in 0..height {
            let rows = covered(y, height, self.height);
            self.add_rows(rows.clone(), &mut sums);
            rgb.extend(columns.iter().flat_map(|columns| mean(&sums[columns.clone()], rows.len())));
        }
        Self { height, width, rgb }
    }

    /// The sum of some rows, column by column.
    fn add_rows(&self, rows: Range<usize>, sums: &mut [[u32; 3]]) {
        sums.fill([0; 3]);
        for row in self.rgb[3 * rows.start * self.width..3 * rows.end * self.width].chunks_exact(3 * self.width) {
            for (sum, pixel) in sums.iter_mut().zip(row.as_chunks::<3>().0) {
                *sum = std::array::from_fn(|c| sum[c] + u32::from(pixel[c]));
            }
        }
    }
}

/// The old pixels under a new one.
fn covered(new: usize, new_side: usize, old_side: usize) -> Range<usize> {
    new * old_side / new_side..((new + 1) * old_side).div_ceil(new_side)
}

fn mean(sums: &[[u32; 3]], rows: usize) -> [u8; 3] {
    let count = (sums.len() * rows) as u64;
    std::array::from_fn(|c| ((sums.iter().map(|sum| u64::from(sum[c])).sum::<u64>() + count / 2) / count) as u8)
}
