//! Binary images in 64 pixels a word, with dilation and erosion.

/// Which pixels around a pixel belong to the structuring element.
///
/// Entry d is the half width of the rows ±d.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    half_widths: Vec<usize>,
}

impl Element {
    /// A square of side 2·radius + 1.
    pub(crate) fn square(radius: usize) -> Self {
        Self { half_widths: vec![radius; radius + 1] }
    }

    /// The pixels within Euclidean distance `radius`.
    pub(crate) fn disk(radius: usize) -> Self {
        let half_width = |d: usize| (radius * radius - d * d).isqrt();
        Self { half_widths: (0..=radius).map(half_width).collect() }
    }

    /// The half height.
    pub(crate) fn radius(&self) -> usize {
        self.half_widths.len() - 1
    }

    /// The half width of the rows at distance `d` ≤ radius.
    pub(crate) fn half_width(&self, d: usize) -> usize {
        self.half_widths[d]
    }
}

/// A binary image whose rows are padded to whole words; the padding is 0.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BitRows {
    height: usize,
    width: usize,
    stride: usize,
    words: Vec<u64>,
}

impl BitRows {
    /// The pixels of a row-major slice for which `inside` holds.
    pub(crate) fn of<T>(height: usize, width: usize, pixels: &[T], inside: impl Fn(&T) -> bool) -> Self {
        let stride = width.div_ceil(64);
        let mut words = Vec::with_capacity(height * stride);
        for row in pixels.chunks_exact(width.max(1)) {
            for part in row.chunks(64) {
                words.push(part.iter().rev().fold(0, |word, pixel| word << 1 | u64::from(inside(pixel))));
            }
        }
        Self { height, width, stride, words }
    }

    /// Row-major pixels.
    pub(crate) fn pixels(&self) -> Vec<bool> {
        let mut pixels = Vec::with_capacity(self.height * self.width);
        for row in self.words.chunks_exact(self.stride.max(1)) {
            pixels.extend((0..self.width).map(|column| row[column / 64] >> (column % 64) & 1 == 1));
        }
        pixels
    }

    /// Every pixel with a set pixel under the element (the element is symmetric).
    pub(crate) fn dilate(&self, element: &Element) -> Self {
        let mut out = Self { words: vec![0; self.words.len()], ..self.clone() };
        let mut wide = vec![0; self.stride];
        for row in 0..self.height {
            let source = &self.words[row * self.stride..][..self.stride];
            if source.iter().all(|&word| word == 0) {
                continue;
            }
            let mut reach = None;
            for (d, &half_width) in element.half_widths.iter().enumerate() {
                if reach != Some(half_width) {
                    wide.copy_from_slice(source);
                    smear(&mut wide, half_width, shift_right);
                    smear(&mut wide, half_width, shift_left);
                    reach = Some(half_width);
                }
                for to in [row.checked_sub(d), Some(row + d)].into_iter().flatten().filter(|&to| to < self.height) {
                    let target = &mut out.words[to * self.stride..][..self.stride];
                    target.iter_mut().zip(&wide).for_each(|(target, &word)| *target |= word);
                }
            }
        }
        out.clear_padding();
        out
    }

    /// The pixels of `domain` whose whole element, as far as it lies in the domain, is set.
    pub(crate) fn erode(&self, element: &Element, domain: &Self) -> Self {
        domain.without(&domain.without(self).dilate(element))
    }

    /// The pixels that are set here and there.
    pub(crate) fn and(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a & b)
    }

    /// The pixels that are set here and not there.
    pub(crate) fn without(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a & !b)
    }

    fn zip(&self, other: &Self, f: impl Fn(u64, u64) -> u64) -> Self {
        let words = self.words.iter().zip(&other.words).map(|(&a, &b)| f(a, b)).collect();
        Self { words, ..*self }
    }

    fn clear_padding(&mut self) {
        let used = self.width % 64;
        if used == 0 {
            return;
        }
        for last in self.words.iter_mut().skip(self.stride - 1).step_by(self.stride) {
            *last &= (1 << used) - 1;
        }
    }
}

/// ORs a row with itself shifted by 1 … `reach` pixels, in log₂ steps.
fn smear(row: &mut [u64], reach: usize, shift: fn(&mut [u64], usize)) {
    let mut done = 0;
    while done < reach {
        let step = (done + 1).min(reach - done);
        shift(row, step);
        done += step;
    }
}

/// row |= row moved towards higher columns.
fn shift_right(row: &mut [u64], by: usize) {
    let (words, bits) = (by / 64, by % 64);
    for at in (words..row.len()).rev() {
        let low = row[at - words] << bits;
        let carry = if bits > 0 && at > words { row[at - words - 1] >> (64 - bits) } else { 0 };
        row[at] |= low | carry;
    }
}

/// row |= row moved towards lower columns.
fn shift_left(row: &mut [u64], by: usize) {
    let (words, bits) = (by / 64, by % 64);
    for at in 0..row.len().saturating_sub(words) {
        let high = row[at + words] >> bits;
        let carry = if bits > 0 && at + words + 1 < row.len() { row[at + words + 1] << (64 - bits) } else { 0 };
        row[at] |= high | carry;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(pixels: &[bool], height: usize, width: usize, radius: usize, disk: bool) -> Vec<bool> {
        let (r, h, w) = (radius as i64, height as i64, width as i64);
        let hit = |y: i64, x: i64, dy: i64, dx: i64| {
            let (y, x) = (y + dy, x + dx);
            let under = !disk || dy * dy + dx * dx <= r * r;
            under && y >= 0 && y < h && x >= 0 && x < w && pixels[(y * w + x) as usize]
        };
        let at = |i: usize| (i as i64 / w, i as i64 % w);
        (0..height * width).map(|i| (-r..=r).any(|dy| (-r..=r).any(|dx| hit(at(i).0, at(i).1, dy, dx)))).collect()
    }

    proptest! {
        #[test]
        fn dilation_equals_the_definition(
            width in 1usize..140, radius in 1usize..70, disk: bool, set in proptest::collection::vec(0usize..700, 0..9)
        ) {
            let height = 5;
            let mut pixels = vec![false; height * width];
            set.iter().for_each(|&i| pixels[i % (height * width)] = true);
            let element = if disk { Element::disk(radius) } else { Element::square(radius) };
            let out = BitRows::of(height, width, &pixels, |&p| p).dilate(&element);
            let expected = plain(&pixels, height, width, radius, disk);
            prop_assert_eq!(&out, &BitRows::of(height, width, &expected, |&p| p));
            prop_assert_eq!(out.pixels(), expected);
        }
    }
}
