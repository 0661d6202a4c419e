//! Neighbouring regions join, the cheapest pair first.
//!
//! The cost of a pair is near to the rise of the sum of squares (Ward 1963, s·t/(s + t)·d²): the size factor has the
//! power 1.5, which keeps regions more even, and d² also counts the step of color across the border.

use crate::float_space::Planes;
use segcut_core::{Context, LabelMap, Stop, VOID};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A shared border.
#[derive(Debug, Clone, Copy)]
struct Border {
    other: u32,
    length: f32,
    /// Sum of the steps of color across it.
    steps: f32,
}

/// The bits of a cost, which order as the cost does, two regions and their ages.
type Offer = (u32, [u32; 2], [u32; 2]);

/// Regions that merge.
pub(crate) struct Merging {
    /// The weight of squared pixels between centres.
    position: f32,
    channels: usize,
    size: Vec<f32>,
    /// Row, column and channels of each region's mean.
    mean: Vec<f32>,
    borders: Vec<Vec<Border>>,
    parent: Vec<u32>,
    /// Grows with every change of a region; a queue entry of an older age is void.
    age: Vec<u32>,
    queue: BinaryHeap<Reverse<Offer>>,
    count: usize,
}

impl Merging {
    pub(crate) fn new(map: &LabelMap, planes: &Planes, position: f32) -> Self {
        let n = map.n();
        let channels = planes.values.len();
        let mut merging = Self {
            position,
            channels,
            size: vec![0.0; n],
            mean: vec![0.0; n * (channels + 2)],
            borders: vec![Vec::new(); n],
            parent: (0..n as u32).collect(),
            age: vec![0; n],
            queue: BinaryHeap::new(),
            count: n,
        };
        merging.measure(map, planes);
        for a in 0..n as u32 {
            merging.offer(a, |other| other > a);
        }
        merging
    }

    fn measure(&mut self, map: &LabelMap, planes: &Planes) {
        let (width, stride) = (map.width(), planes.layout.stride);
        let record = self.channels + 2;
        let mut sums = vec![0f64; self.mean.len()];
        let mut count = vec![0usize; self.size.len()];
        let labels = map.labels();
        for (at, &label) in labels.iter().enumerate().filter(|(_, l)| **l != VOID) {
            let (y, x) = (at / width, at % width);
            let padded = y * stride + x;
            count[label as usize] += 1;
            let sums = &mut sums[label as usize * record..][..record];
            sums[0] += y as f64;
            sums[1] += x as f64;
            sums[2..].iter_mut().zip(&planes.values).for_each(|(s, p)| *s += f64::from(p[padded]));
            let step = |other: usize| planes.values.iter().map(|p| (p[padded] - p[other]).abs()).sum::<f32>();
            if x + 1 < width && labels[at + 1] != label && labels[at + 1] != VOID {
                self.touch(label, labels[at + 1], step(padded + 1));
            }
            if let Some(&below) = labels.get(at + width).filter(|&&l| l != label && l != VOID) {
                self.touch(label, below, step(padded + stride));
            }
        }
        for ((mean, sum), i) in self.mean.iter_mut().zip(&sums).zip(0..) {
            *mean = (sum / count[i / record] as f64) as f32;
        }
        self.size = count.iter().map(|&c| c as f32).collect();
    }

    fn touch(&mut self, a: u32, b: u32, step: f32) {
        for (a, b) in [(a, b), (b, a)] {
            add(&mut self.borders[a as usize], Border { other: b, length: 1.0, steps: step });
        }
    }

    fn cost(&self, a: u32, border: Border) -> f32 {
        let (a, b) = (a as usize, border.other as usize);
        let record = self.channels + 2;
        let (one, other) = (&self.mean[a * record..][..record], &self.mean[b * record..][..record]);
        let square = |from: usize, to: usize| -> f32 {
            one[from..to].iter().zip(&other[from..to]).map(|(a, b)| (a - b).powi(2)).sum()
        };
        let size = self.size[a] * self.size[b] / (self.size[a] + self.size[b]);
        let contrast = border.steps / border.length;
        size * size.sqrt() * (square(2, record) + self.position * square(0, 2) + contrast * contrast)
    }

    fn offer(&mut self, a: u32, wanted: impl Fn(u32) -> bool) {
        for i in 0..self.borders[a as usize].len() {
            let border = self.borders[a as usize][i];
            if wanted(border.other) {
                let ages = [a, border.other].map(|r| self.age[r as usize]);
                let cost = self.cost(a, border).to_bits();
                self.queue.push(Reverse((cost, [a, border.other], ages)));
            }
        }
    }

    /// Merges until so many regions are left or none are neighbours.
    pub(crate) fn run(&mut self, target: usize, context: &Context) {
        while self.count > target && context.stopped() == Stop::No {
            let Some(Reverse((_, pair, ages))) = self.queue.pop() else { break };
            if pair.map(|region| self.age[region as usize]) == ages {
                self.merge(pair[0].min(pair[1]), pair[0].max(pair[1]));
            }
        }
    }

    fn merge(&mut self, keep: u32, gone: u32) {
        let (k, g) = (keep as usize, gone as usize);
        let record = self.channels + 2;
        let share = self.size[g] / (self.size[k] + self.size[g]);
        for i in 0..record {
            let other = self.mean[g * record + i];
            let mean = &mut self.mean[k * record + i];
            *mean += (other - *mean) * share;
        }
        self.size[k] += self.size[g];
        self.parent[g] = keep;
        self.count -= 1;
        self.age[k] += 1;
        self.age[g] = u32::MAX;
        for border in std::mem::take(&mut self.borders[g]) {
            let other = &mut self.borders[border.other as usize];
            other.retain(|b| b.other != gone);
            if border.other != keep {
                add(other, Border { other: keep, ..border });
                add(&mut self.borders[k], border);
            }
        }
        self.offer(keep, |_| true);
    }

    /// The region that each first region ended in, numbered from 0 in their order, and how many there are.
    pub(crate) fn names(&self) -> (Vec<u32>, usize) {
        let mut names = self.parent.clone();
        let mut n = 0;
        for i in 0..names.len() {
            if names[i] as usize == i {
                names[i] = n;
                n += 1;
            } else {
                names[i] = names[names[i] as usize];
            }
        }
        (names, n as usize)
    }
}

fn add(borders: &mut Vec<Border>, new: Border) {
    match borders.iter_mut().find(|b| b.other == new.other) {
        Some(old) => {
            old.length += new.length;
            old.steps += new.steps;
        }
        None => borders.push(new),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::{ColorSpace, Image, Samples};

    #[test]
    fn regions_of_one_color_merge_first() {
        let samples = Samples::U8(vec![10, 12, 100, 104, 10, 12, 100, 104]);
        let image = Image::new(2, 4, ColorSpace::Gray, samples).unwrap();
        let params = crate::float_space::PlaneParams { sigma: 0.0, ..crate::SlicParams::default().planes() };
        let planes = crate::float_space::planes(&image, params).unwrap();
        let map = LabelMap::new(2, 4, vec![0, 1, 2, 3, 0, 1, 2, 3]).unwrap();
        let mut merging = Merging::new(&map, &planes, 0.01);
        merging.run(2, &Context::default());
        assert_eq!(merging.names(), (vec![0, 0, 1, 1], 2));
        merging.run(0, &Context::default());
        assert_eq!(merging.names(), (vec![0; 4], 1));
    }
}
