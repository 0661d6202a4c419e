//! Cells → differences of half-discs, row by row.

use crate::pyramid::Level;
use multiversion::multiversion;
use std::f64::consts::PI;
use std::ops::Range;

/// Cells this near to the diameter are in neither half.
const DIAMETER: f64 = 0.4;

/// Values of a row that are summed at once.
const LANES: usize = 16;

/// Cells of one row that belong to a half-disc: `length` of them from the offset (dy, dx).
#[derive(Debug, Clone, Copy, PartialEq)]
struct Run {
    dy: isize,
    dx: isize,
    length: usize,
}

/// A cell of the smoothing ellipse.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Tap {
    dy: isize,
    dx: isize,
    weight: f32,
}

#[derive(Debug, Clone)]
struct Direction {
    /// One half; the other one is its mirror image.
    half: Vec<Run>,
    count: usize,
    /// Empty where nothing is smoothed.
    taps: Vec<Tap>,
}

/// The half-discs of one radius in all directions.
#[derive(Debug, Clone)]
pub(crate) struct HalfDiscs {
    radius: usize,
    spread: f32,
    directions: Vec<Direction>,
}

/// One plane of rows×width values per direction.
pub(crate) struct Planes {
    pub(crate) values: Vec<f32>,
    pub(crate) rows: Range<usize>,
    pub(crate) width: usize,
}

/// Rows of one level as planes, one after the other in each row, reflected beyond left and right.
pub(crate) struct DiscLevel {
    rows: Range<usize>,
    height: usize,
    width: usize,
    channels: usize,
    padded: usize,
    values: Vec<f32>,
}

impl HalfDiscs {
    pub(crate) fn new(radius: usize, orientations: usize, spread: f32, smooth: bool) -> Self {
        let direction = |o: usize| {
            let angle = o as f64 * PI / orientations as f64;
            let half = half(radius, angle);
            let count = half.iter().map(|run| run.length).sum();
            Direction { half, count, taps: if smooth { ellipse(radius, angle) } else { Vec::new() } }
        };
        Self { radius, spread, directions: (0..orientations).map(direction).collect() }
    }

    pub(crate) fn radius(&self) -> usize {
        self.radius
    }

    fn smooths(&self) -> bool {
        self.directions.iter().any(|direction| !direction.taps.is_empty())
    }

    /// Rows of cells that the strengths of `cells` depend on.
    pub(crate) fn halo(&self, cells: &Range<usize>, height: usize) -> Range<usize> {
        let reach = if self.smooths() { 2 * self.radius } else { self.radius };
        cells.start.saturating_sub(reach)..(cells.end + reach).min(height)
    }

    /// The strength of every direction.
    pub(crate) fn strengths(&self, level: &DiscLevel, cells: Range<usize>) -> Planes {
        if !self.smooths() {
            return self.differences(level, cells);
        }
        let reach = self.radius;
        let tall = cells.start.saturating_sub(reach)..(cells.end + reach).min(level.height);
        let rough = self.differences(level, tall);
        let width = level.width;
        let size = cells.len() * width;
        let mut values = vec![0.0; self.directions.len() * size];
        let planes = rough.values.chunks_exact(rough.rows.len() * width);
        let mut padded = Vec::new();
        for (direction, (rough_plane, out)) in self.directions.iter().zip(planes.zip(values.chunks_exact_mut(size))) {
            pad_rows(rough_plane, width, reach, &mut padded);
            let line = |y: isize| {
                let row = reflected(y, level.height) - rough.rows.start;
                &padded[row * (width + 2 * reach)..][..width + 2 * reach]
            };
            for (y, out) in cells.clone().zip(out.chunks_exact_mut(width)) {
                for tap in &direction.taps {
                    let from = &line(y as isize + tap.dy)[reach.wrapping_add_signed(tap.dx)..][..width];
                    add_weighted(out, from, tap.weight);
                }
                out.iter_mut().for_each(|value| *value = value.max(0.0));
            }
        }
        Planes { values, rows: cells, width }
    }

    /// The differences of the halves, not smoothed.
    fn differences(&self, level: &DiscLevel, cells: Range<usize>) -> Planes {
        let width = level.width;
        let size = cells.len() * width;
        let mut values = vec![0.0; self.directions.len() * size];
        let mut sums = RunSums::new(level, 2 * self.radius + 1, self.spread > 0.0);
        let mut squares = vec![0.0f32; width];
        for (i, y) in cells.clone().enumerate() {
            sums.advance(level, y as isize, self.radius);
            for (o, direction) in self.directions.iter().enumerate() {
                squares.fill(0.0);
                self.add_squares(&sums, direction, y as isize, &mut squares);
                let out = &mut values[o * size + i * width..][..width];
                out.iter_mut().zip(&squares).for_each(|(out, sum)| *out = sum.sqrt());
            }
        }
        Planes { values, rows: cells, width }
    }

    fn add_squares(&self, sums: &RunSums, direction: &Direction, y: isize, squares: &mut [f32]) {
        let runs: Vec<[usize; 2]> = direction.half.iter().map(|run| sums.places(run, y, self.radius)).collect();
        let share = 1.0 / direction.count as f32;
        for channel in 0..sums.channels {
            let planes = sums.channel(channel);
            match sums.channel_of_squares(channel) {
                None => add_mean_difference(planes, &runs, share, squares),
                Some(second) => {
                    let deviation = self.spread * self.spread;
                    add_moment_difference([planes, second], &runs, [share, deviation], squares);
                }
            }
        }
    }
}

/// Rows of the half-disc on the left of the diameter with this direction.
fn half(radius: usize, angle: f64) -> Vec<Run> {
    let r = radius as isize;
    let inside = |dy: isize, dx: isize| dy * dy + dx * dx <= r * r + r;
    let left = |dy: isize, dx: isize| dy as f64 * angle.cos() - dx as f64 * angle.sin() > DIAMETER;
    let mut runs = Vec::new();
    for dy in -r..=r {
        let own: Vec<isize> = (-r..=r).filter(|&dx| inside(dy, dx) && left(dy, dx)).collect();
        // A half-disc is convex: what it holds of a row is one run.
        runs.extend(own.first().map(|&dx| Run { dy, dx, length: own.len() }));
    }
    runs
}

/// Weights that give the constant term of the parabola fitted across the direction, inside an ellipse of
/// half axes `radius` along it and max(radius / 4, 1.5) across.
fn ellipse(radius: usize, angle: f64) -> Vec<Tap> {
    let (along, across) = (radius as f64, (radius as f64 / 4.0).max(1.5));
    let r = radius as isize;
    let mut cells = Vec::new();
    for dy in -r..=r {
        for dx in -r..=r {
            let (x, y) = (dx as f64, dy as f64);
            let (u, v) = (x * angle.cos() + y * angle.sin(), y * angle.cos() - x * angle.sin());
            if (u / along).powi(2) + (v / across).powi(2) <= 1.0 {
                cells.push((dy, dx, v));
            }
        }
    }
    // Least squares of {1, v, v²}: the odd term drops out of the constant, as the ellipse is symmetric.
    let moment = |power: i32| cells.iter().map(|(_, _, v)| v.powi(power)).sum::<f64>();
    let (m0, m2, m4) = (moment(0), moment(2), moment(4));
    let determinant = m0 * m4 - m2 * m2;
    let weight = |v: f64| if determinant > 1e-9 { (m4 - m2 * v * v) / determinant } else { 1.0 / m0 };
    cells.iter().map(|&(dy, dx, v)| Tap { dy, dx, weight: weight(v) as f32 }).collect()
}

/// The place inside 0..n that mirrors at the ends show at i: … 1 0 | 0 1 … n−1 | n−1 …
fn reflected(i: isize, n: usize) -> usize {
    let i = i.rem_euclid(2 * n as isize) as usize;
    if i < n { i } else { 2 * n - 1 - i }
}

fn pad_rows(plane: &[f32], width: usize, reach: usize, out: &mut Vec<f32>) {
    out.clear();
    for row in plane.chunks_exact(width) {
        out.extend((0..reach).map(|x| row[reflected(x as isize - reach as isize, width)]));
        out.extend_from_slice(row);
        out.extend((0..reach).map(|x| row[reflected((width + x) as isize, width)]));
    }
}

impl DiscLevel {
    /// Planes of the level's rows, reflected over `radius` cells beyond left and right.
    pub(crate) fn new(level: &Level, radius: usize) -> Self {
        let (width, channels) = (level.shape.width, level.shape.channels);
        let padded = width + 2 * radius;
        let places: Vec<usize> =
            (0..padded).map(|x| reflected(x as isize - radius as isize, width) * channels).collect();
        let mut values = Vec::with_capacity(level.rows.len() * padded * channels);
        for row in level.values.chunks_exact(width * channels) {
            for c in 0..channels {
                values.extend(places.iter().map(|&place| row[place + c]));
            }
        }
        Self { rows: level.rows.clone(), height: level.shape.height, width, channels, padded, values }
    }

    fn line(&self, y: isize, channel: usize) -> &[f32] {
        let row = reflected(y, self.height) - self.rows.start;
        &self.values[(row * self.channels + channel) * self.padded..][..self.padded]
    }
}

/// For the rows around one row: sums over runs of every length that start at each cell, per channel.
///
/// The rows lie in a ring, so that one row is made anew for each row of the result.
struct RunSums {
    channels: usize,
    padded: usize,
    lengths: usize,
    with_squares: bool,
    /// The first row that is not made yet.
    made: Option<isize>,
    /// channels (and as many of squares) × ring × lengths × padded.
    values: Vec<f32>,
}

impl RunSums {
    /// Runs of up to `lengths` cells, over a ring of as many rows.
    fn new(level: &DiscLevel, lengths: usize, with_squares: bool) -> Self {
        let planes = if with_squares { 2 * level.channels } else { level.channels };
        // Whole blocks of lanes are read, also at the end of the last run.
        let values = vec![0.0; planes * lengths * lengths * level.padded + LANES];
        let (channels, padded) = (level.channels, level.padded);
        Self { channels, padded, lengths, with_squares, made: None, values }
    }

    fn plane(&self) -> usize {
        self.lengths * self.lengths * self.padded
    }

    fn channel(&self, channel: usize) -> &[f32] {
        &self.values[channel * self.plane()..]
    }

    fn channel_of_squares(&self, channel: usize) -> Option<&[f32]> {
        self.with_squares.then(|| self.channel(self.channels + channel))
    }

    fn ring_row(&self, y: isize) -> usize {
        y.rem_euclid(self.lengths as isize) as usize
    }

    /// Makes the rows up to y + radius.
    fn advance(&mut self, level: &DiscLevel, y: isize, radius: usize) {
        let first = self.made.unwrap_or(y - radius as isize);
        for row in first..=y + radius as isize {
            for channel in 0..self.channels {
                let line = level.line(row, channel);
                self.make(channel, row, line, |v| v);
                if self.with_squares {
                    self.make(self.channels + channel, row, line, |v| v * v);
                }
            }
        }
        self.made = Some(y + radius as isize + 1);
    }

    fn make(&mut self, plane: usize, row: isize, line: &[f32], of: impl Fn(f32) -> f32) {
        let start = plane * self.plane() + self.ring_row(row) * self.lengths * self.padded;
        let sums = &mut self.values[start..start + self.lengths * self.padded];
        let (first, mut rest) = sums.split_at_mut(self.padded);
        first.iter_mut().zip(line).for_each(|(out, &v)| *out = of(v));
        let mut shorter = first;
        for length in 2..=self.lengths {
            let (longer, after) = rest.split_at_mut(self.padded);
            let count = self.padded + 1 - length.min(self.padded);
            for ((out, &sum), &v) in
                longer[..count].iter_mut().zip(&*shorter).zip(&line[(length - 1).min(line.len())..])
            {
                *out = sum + of(v);
            }
            shorter = longer;
            rest = after;
        }
    }

    /// Where the sums of a run and of its mirror image start, in a channel's plane.
    fn places(&self, run: &Run, y: isize, radius: usize) -> [usize; 2] {
        let at = |dy: isize, dx: isize| {
            let start = (self.ring_row(y + dy) * self.lengths + run.length - 1) * self.padded;
            start + radius.wrapping_add_signed(dx)
        };
        // The mirror image of cells dx … dx + length − 1 ends at −dx.
        [at(run.dy, run.dx), at(-run.dy, 1 - run.dx - run.length as isize)]
    }
}

/// Adds (share · (sum of one half − sum of the other))² to every cell of a row.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2+fma", "aarch64+neon"))]
fn add_mean_difference(sums: &[f32], runs: &[[usize; 2]], share: f32, squares: &mut [f32]) {
    for (block, out) in squares.chunks_mut(LANES).enumerate() {
        let mut difference = [0.0f32; LANES];
        for &[left, right] in runs {
            let left = &sums[left + block * LANES..][..LANES];
            let right = &sums[right + block * LANES..][..LANES];
            for lane in 0..LANES {
                difference[lane] += left[lane] - right[lane];
            }
        }
        for (out, d) in out.iter_mut().zip(difference) {
            *out += (share * d) * (share * d);
        }
    }
}

/// As [`add_mean_difference`], with deviation · (difference of the standard deviations)² besides.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2+fma", "aarch64+neon"))]
fn add_moment_difference(
    [sums, second]: [&[f32]; 2],
    runs: &[[usize; 2]],
    [share, deviation]: [f32; 2],
    squares: &mut [f32],
) {
    for (block, out) in squares.chunks_mut(LANES).enumerate() {
        let mut moments = [[0.0f32; LANES]; 4];
        for places in runs {
            for (side, &place) in places.iter().enumerate() {
                let first = &sums[place + block * LANES..][..LANES];
                let square = &second[place + block * LANES..][..LANES];
                for lane in 0..LANES {
                    moments[side][lane] += first[lane];
                    moments[2 + side][lane] += square[lane];
                }
            }
        }
        for (lane, out) in out.iter_mut().enumerate() {
            let [left, right] = [0, 1].map(|side| share * moments[side][lane]);
            let spread = |side: usize, mean: f32| (share * moments[2 + side][lane] - mean * mean).max(0.0).sqrt();
            let change = spread(0, left) - spread(1, right);
            *out += (left - right) * (left - right) + deviation * change * change;
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2+fma", "aarch64+neon"))]
fn add_weighted(out: &mut [f32], from: &[f32], weight: f32) {
    for (out, &value) in out.iter_mut().zip(from) {
        *out += weight * value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_pixel::RowShape;

    fn level(height: usize, width: usize, channels: usize) -> Level {
        let values = (0..height * width * channels).map(|i| ((i * i + 31 * i) % 251) as f32 / 251.0).collect();
        Level { shape: RowShape { height, width, channels }, rows: 0..height, values }
    }

    /// Mean and standard deviation of one half, by a loop over the square around it.
    fn moments(level: &Level, (y, x, c): (usize, usize, usize), radius: usize, angle: f64, side: f64) -> [f64; 2] {
        let RowShape { height, width, channels } = level.shape;
        let r = radius as isize;
        let mut found = Vec::new();
        for dy in -r..=r {
            for dx in -r..=r {
                let signed = side * (dy as f64 * angle.cos() - dx as f64 * angle.sin());
                if dy * dy + dx * dx <= r * r + r && signed > DIAMETER {
                    let (row, column) = (reflected(y as isize + dy, height), reflected(x as isize + dx, width));
                    found.push(f64::from(level.values[(row * width + column) * channels + c]));
                }
            }
        }
        let mean = found.iter().sum::<f64>() / found.len() as f64;
        let variance = found.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / found.len() as f64;
        [mean, variance.sqrt()]
    }

    #[test]
    fn equal_to_direct_sums() {
        for (height, width, channels, radius, spread) in
            [(9, 21, 3, 3, 0.0f32), (12, 40, 1, 5, 1.5), (1, 5, 2, 2, 1.0), (3, 1, 1, 4, 0.0), (2, 2, 1, 1, 1.0)]
        {
            let level = level(height, width, channels);
            let discs = HalfDiscs::new(radius, 8, spread, false);
            let found = discs.strengths(&DiscLevel::new(&level, radius), 0..height);
            for (at, &found) in found.values.iter().enumerate() {
                let (o, y, x) = (at / (height * width), at / width % height, at % width);
                let angle = o as f64 * PI / 8.0;
                let squares = (0..channels).map(|c| {
                    let [left, right] = [1.0, -1.0].map(|side| moments(&level, (y, x, c), radius, angle, side));
                    (left[0] - right[0]).powi(2) + (f64::from(spread) * (left[1] - right[1])).powi(2)
                });
                let direct = squares.sum::<f64>().sqrt() as f32;
                assert!((found - direct).abs() < 2e-3, "{at}: {found} {direct}");
            }
        }
    }

    #[test]
    fn smoothing_keeps_a_parabola_across_and_what_is_constant() {
        for radius in [1, 3, 5] {
            for o in 0..8 {
                let angle = f64::from(o) * PI / 8.0;
                let taps = ellipse(radius, angle);
                let across = |t: &Tap| t.dy as f64 * angle.cos() - t.dx as f64 * angle.sin();
                let sum = |of: &dyn Fn(&Tap) -> f64| taps.iter().map(|t| f64::from(t.weight) * of(t)).sum::<f64>();
                assert!((sum(&|_| 1.0) - 1.0).abs() < 1e-5);
                assert!(sum(&|t| across(t)).abs() < 1e-5);
                if radius > 1 {
                    assert!(sum(&|t| across(t).powi(2)).abs() < 1e-4, "{radius} {o}");
                }
            }
        }
    }
}
