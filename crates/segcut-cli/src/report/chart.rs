//! Bars and lines in units of their drawing.

use serde::Serialize;

/// Width and height of the drawings' area.
pub(super) const AREA: [f64; 2] = [380.0, 120.0];

/// A place in a drawing, to a hundredth.
pub(super) fn hundredths(place: f64) -> f64 {
    (100.0 * place).round() / 100.0
}

/// How many images have which score.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Histogram {
    /// The score, for example `covering`.
    pub name: String,
    /// Left end of the first bar and right end of the last.
    pub range: [f64; 2],
    /// The bars from left to right.
    pub bars: Vec<Bar>,
    /// The scores' mean, as a place in the drawing.
    pub mean_x: f64,
    /// The scores' mean.
    pub mean: f64,
}

/// One bar of a histogram; places in the drawing's units, y downwards.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bar {
    /// Left side.
    pub x: f64,
    /// Upper side.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
    /// Scores from here …
    pub from: f64,
    /// … to here (this end belongs to the next bar, except in the last).
    pub to: f64,
    /// Images.
    pub count: usize,
}

impl Histogram {
    /// Finite scores → a histogram of 20 bars over 0 to 1, or over their own range where they leave that; none
    /// without a finite score.
    pub fn of(name: impl Into<String>, scores: &[f64]) -> Option<Self> {
        let scores: Vec<f64> = scores.iter().copied().filter(|s| s.is_finite()).collect();
        if scores.is_empty() {
            return None;
        }
        let low = scores.iter().copied().fold(0.0, f64::min);
        let high = scores.iter().copied().fold(1.0, f64::max);
        let mut counts = [0usize; 20];
        let steps = counts.len() as f64;
        for score in &scores {
            counts[(((score - low) / (high - low) * steps) as usize).min(19)] += 1;
        }
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        Some(Self::of_counts(name, [low, high], &counts, mean))
    }

    /// Counts per bar, what the bars span, and the mean of what was counted.
    pub fn of_counts(name: impl Into<String>, [low, high]: [f64; 2], counts: &[usize], mean: f64) -> Self {
        let steps = counts.len().max(1) as f64;
        let most = counts.iter().copied().max().unwrap_or(1).max(1) as f64;
        let step = AREA[0] / steps;
        let bar = |(i, &count): (usize, &usize)| {
            let height = hundredths(AREA[1] * count as f64 / most);
            let edge = |i: usize| low + (high - low) * i as f64 / steps;
            Bar {
                x: i as f64 * step + 1.0,
                y: hundredths(AREA[1] - height),
                width: step - 2.0,
                height,
                from: edge(i),
                to: edge(i + 1),
                count,
            }
        };
        Self {
            name: name.into(),
            range: [low, high],
            bars: counts.iter().enumerate().map(bar).collect(),
            mean_x: hundredths((mean - low) / (high - low) * AREA[0]),
            mean,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_counted_with_both_ends() {
        let histogram = Histogram::of("iou", &[0.0, 0.049, 0.05, 1.0, f64::NAN]).unwrap();
        let counts: Vec<usize> = histogram.bars.iter().map(|bar| bar.count).collect();
        assert_eq!((counts[0], counts[1], counts[19], counts.iter().sum::<usize>()), (2, 1, 1, 4));
        assert_eq!((histogram.bars[0].height, histogram.bars[1].height), (AREA[1], AREA[1] / 2.0));
        assert_eq!(Histogram::of("voi", &[2.5]).unwrap().range, [0.0, 2.5]);
        assert_eq!(Histogram::of("iou", &[]), None);
    }
}
