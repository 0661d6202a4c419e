//! The strip of results over a swept parameter.

use super::Picture;
use super::chart::{AREA, hundredths};
use serde::Serialize;

/// A swept parameter: scores and pictures per value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sweep {
    parameter: String,
    metrics: Vec<Line>,
    points: Vec<SweepPoint>,
    area: [f64; 2],
}

/// One value of the parameter.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct SweepPoint {
    /// The value as it was given, for example `8`.
    pub value: String,
    /// One score per metric.
    pub scores: Vec<Option<f64>>,
    /// An example of the result.
    pub picture: Option<Picture>,
    /// Whether it is the best one over the data set.
    pub best: bool,
}

/// A metric's line through the chart.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Line {
    name: String,
    range: [f64; 2],
    dots: Vec<[f64; 2]>,
}

impl Sweep {
    /// Parameter, names of the metrics and the values in order → the strip with one small chart per metric.
    pub fn new(parameter: impl Into<String>, metrics: &[String], points: Vec<SweepPoint>) -> Self {
        let metrics = metrics.iter().enumerate().map(|(i, name)| Line::of(name, i, &points)).collect();
        Self { parameter: parameter.into(), metrics, points, area: AREA }
    }
}

impl Sweep {
    /// The same strip with one picture per point, as far as there are any.
    #[must_use]
    pub fn with_pictures(mut self, pictures: Vec<Option<Picture>>) -> Self {
        for (point, picture) in self.points.iter_mut().zip(pictures) {
            point.picture = picture;
        }
        self
    }
}

impl Line {
    fn of(name: &str, metric: usize, points: &[SweepPoint]) -> Self {
        let score = |point: &SweepPoint| point.scores.get(metric).copied().flatten().filter(|s| s.is_finite());
        let scores = || points.iter().enumerate().filter_map(|(i, point)| Some((i, score(point)?)));
        let low = scores().map(|(_, s)| s).fold(f64::INFINITY, f64::min);
        let high = scores().map(|(_, s)| s).fold(f64::NEG_INFINITY, f64::max);
        let step = AREA[0] / points.len().max(1) as f64;
        let height = |score: f64| if high > low { AREA[1] * (high - score) / (high - low) } else { AREA[1] / 2.0 };
        let dots =
            scores().map(|(i, score)| [hundredths((i as f64 + 0.5) * step), hundredths(height(score))]).collect();
        Self { name: name.into(), range: if low <= high { [low, high] } else { [0.0, 0.0] }, dots }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fill_their_area() {
        let point = |value: &str, score| SweepPoint { value: value.into(), scores: vec![score], ..Default::default() };
        let points = vec![point("2", Some(0.2)), point("4", None), point("8", Some(0.6)), point("16", Some(0.4))];
        let sweep = Sweep::new("cluster.k", &["covering".into()], points);
        assert_eq!(sweep.metrics[0].dots, [[47.5, 120.0], [237.5, 0.0], [332.5, 60.0]]);
        assert_eq!(sweep.metrics[0].range, [0.2, 0.6]);
    }
}
