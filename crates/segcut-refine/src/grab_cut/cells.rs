//! Image and soft map → cells of some pixels each, which the cut labels.

use super::mixture::Color;
use crate::colors::colors_of_row;
use segcut_core::{ColorSpace, Image, LabelMap, VOID};
use segcut_pixel::scaled_rows;

/// Channels that differ by less than this, of 1, are a gray image.
const GRAY: f32 = 8.0 / 255.0;

/// A grid of cells of step×step pixels; the last ones are cut by the frame.
#[derive(Debug)]
pub(super) struct Cells {
    pub(super) height: usize,
    pub(super) width: usize,
    /// Mean colors; where no pixel is labelled, 0.
    pub(super) colors: Vec<Color>,
    /// Mean memberships.
    pub(super) soft: Vec<f32>,
    /// Whether most of the labelled pixels are foreground.
    pub(super) start: Vec<bool>,
    /// Whether any pixel is labelled.
    pub(super) valid: Vec<bool>,
}

/// Whether the image has no color: one channel, or three that hardly differ.
pub(super) fn is_gray(image: &Image) -> bool {
    if image.channels() == 1 || image.space() == ColorSpace::Gray {
        return true;
    }
    if image.channels() != 3 {
        return false;
    }
    let mut row = vec![0.0; image.width() * 3];
    (0..image.height()).all(|y| {
        scaled_rows(image, y..y + 1, &mut row);
        let plain = |p: &[f32; 3]| p[0].max(p[1]).max(p[2]) - p[0].min(p[1]).min(p[2]) < GRAY;
        row.as_chunks::<3>().0.iter().all(plain)
    })
}

impl Cells {
    /// Averages colors and memberships; `soft` has a value per pixel, `labels` are 0 or above.
    pub(super) fn new(image: &Image, labels: &LabelMap, soft: &[f32], step: usize) -> Self {
        let (height, width) = (labels.height(), labels.width());
        let (rows, columns) = (height.div_ceil(step), width.div_ceil(step));
        let mut cells = Self::empty(rows, columns);
        let mut line = vec![0.0; width * 3];
        for top in (0..height).step_by(step) {
            let mut sums = vec![Sum::default(); columns];
            for y in top..(top + step).min(height) {
                colors_of_row(image, y, &mut line);
                let pixels = line.as_chunks::<3>().0.iter().zip(&soft[y * width..]).zip(&labels.labels()[y * width..]);
                for (x, ((color, &membership), &label)) in pixels.enumerate().filter(|(_, (_, l))| **l != VOID) {
                    sums[x / step].add(color, membership, label > 0);
                }
            }
            sums.iter().for_each(|sum| cells.push(sum));
        }
        cells
    }

    /// Cells of twice the side, whose start is that of most of their parts.
    pub(super) fn halved(&self) -> Self {
        let (rows, columns) = (self.height.div_ceil(2), self.width.div_ceil(2));
        let mut sums = vec![Sum::default(); rows * columns];
        for (cell, &inside) in self.start.iter().enumerate().filter(|(cell, _)| self.valid[*cell]) {
            let (y, x) = (cell / self.width, cell % self.width);
            sums[y / 2 * columns + x / 2].add(&self.colors[cell], self.soft[cell], inside);
        }
        let mut cells = Self::empty(rows, columns);
        sums.iter().for_each(|sum| cells.push(sum));
        cells
    }

    /// Labels of the halved cells, laid over these.
    pub(super) fn doubled(&self, mask: &[bool]) -> Vec<bool> {
        let columns = self.width.div_ceil(2);
        (0..self.valid.len()).map(|cell| mask[cell / self.width / 2 * columns + cell % self.width / 2]).collect()
    }

    /// How many valid cells start as background and as foreground.
    pub(super) fn classes(&self) -> [usize; 2] {
        let mut classes = [0; 2];
        for (&inside, _) in self.start.iter().zip(&self.valid).filter(|(_, valid)| **valid) {
            classes[usize::from(inside)] += 1;
        }
        classes
    }

    fn empty(rows: usize, columns: usize) -> Self {
        Self {
            height: rows,
            width: columns,
            colors: Vec::with_capacity(rows * columns),
            soft: Vec::with_capacity(rows * columns),
            start: Vec::with_capacity(rows * columns),
            valid: Vec::with_capacity(rows * columns),
        }
    }

    fn push(&mut self, sum: &Sum) {
        let share = 1.0 / sum.pixels.max(1.0);
        self.colors.push(sum.color.map(|c| c * share));
        self.soft.push(sum.soft * share);
        self.start.push(2.0 * sum.inside >= sum.pixels && sum.pixels > 0.0);
        self.valid.push(sum.pixels > 0.0);
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    pixels: f32,
    color: Color,
    soft: f32,
    inside: f32,
}

impl Sum {
    fn add(&mut self, color: &Color, soft: f32, inside: bool) {
        self.pixels += 1.0;
        self.color = [self.color[0] + color[0], self.color[1] + color[1], self.color[2] + color[2]];
        self.soft += soft;
        self.inside += f32::from(u8::from(inside));
    }
}
