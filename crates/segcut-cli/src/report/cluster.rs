//! The report of a clustering of points or nodes.

use super::chart::{AREA, hundredths};
use super::{Figure, Panel, render};
use serde::Serialize;

/// What a clustering gave.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ClusterReport {
    /// Heading.
    pub title: String,
    /// One paragraph under it.
    pub text: String,
    /// Program and version.
    pub program: String,
    /// Cut values and scores.
    pub figures: Vec<Figure>,
    /// What a user should know.
    pub notes: Vec<String>,
    /// Pictures.
    pub panels: Vec<Panel>,
    /// Eigenvalues, where there are some.
    pub spectrum: Option<Spectrum>,
    /// The loss of every epoch, where something was trained.
    pub curve: Option<Curve>,
    /// The splits of a recursive method.
    pub steps: Vec<Step>,
    /// The resolved recipe.
    pub recipe: String,
}

/// The clusters after one split.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Step {
    /// Clusters.
    pub k: usize,
    /// Σ cut / volume.
    pub ncut: f64,
    /// Σ cut / size.
    pub ratio_cut: f64,
    /// Largest cut / volume.
    pub cheeger: f64,
    /// Nodes per cluster.
    pub sizes: Vec<usize>,
}

/// Eigenvalues as dots over their numbers, with the gap after the k-th.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spectrum {
    dots: Vec<Dot>,
    range: [f64; 2],
    /// Number, width of the gap and its place, where there is a value after the k-th.
    gap: Option<Gap>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Dot {
    number: usize,
    value: f64,
    x: f64,
    y: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Gap {
    k: usize,
    width: f64,
    x: f64,
}

impl Spectrum {
    /// Ascending eigenvalues and the number of clusters; none of fewer than two values.
    pub fn of(values: &[f64], k: usize) -> Option<Self> {
        let (low, high) = (*values.first()?, *values.last()?);
        if values.len() < 2 || !(low.is_finite() && high.is_finite()) {
            return None;
        }
        let step = AREA[0] / values.len() as f64;
        let x = |index: usize| hundredths((index as f64 + 0.5) * step);
        let y = |value: f64| if high > low { AREA[1] * (high - value) / (high - low) } else { AREA[1] / 2.0 };
        let dot =
            |(index, &value): (usize, &f64)| Dot { number: index + 1, value, x: x(index), y: hundredths(y(value)) };
        let gap = (k >= 1 && k < values.len()).then(|| Gap {
            k,
            width: values[k] - values[k - 1],
            x: hundredths(k as f64 * step),
        });
        Some(Self { dots: values.iter().enumerate().map(dot).collect(), range: [low, high], gap })
    }
}

/// Losses as a line over their epochs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Curve {
    /// Places of the line, `x,y` each.
    points: String,
    epochs: usize,
    range: [f64; 2],
    last: f64,
}

impl Curve {
    /// One loss per epoch; none of fewer than two, or of losses that are not finite.
    pub fn of(losses: &[f64]) -> Option<Self> {
        let low = losses.iter().copied().fold(f64::INFINITY, f64::min);
        let high = losses.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let last = *losses.last()?;
        if losses.len() < 2 || !losses.iter().all(|loss| loss.is_finite()) {
            return None;
        }
        let step = AREA[0] / (losses.len() - 1) as f64;
        let y = |loss: f64| if high > low { AREA[1] * (high - loss) / (high - low) } else { AREA[1] / 2.0 };
        let place = |(at, &loss): (usize, &f64)| format!("{},{}", hundredths(at as f64 * step), hundredths(y(loss)));
        let points: Vec<String> = losses.iter().enumerate().map(place).collect();
        Some(Self { points: points.join(" "), epochs: losses.len(), range: [low, high], last })
    }
}

impl ClusterReport {
    /// The page.
    ///
    /// # Errors
    /// The template's own, which data cannot cause.
    pub fn html(&self) -> Result<String, minijinja::Error> {
        render("cluster.html", self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gap_stands_after_the_kth_value() {
        let spectrum = Spectrum::of(&[0.0, 0.1, 0.9, 1.0], 2).unwrap();
        assert_eq!(spectrum.gap, Some(Gap { k: 2, width: 0.8, x: 190.0 }));
        assert_eq!((spectrum.dots[0].y, spectrum.dots[3].y), (120.0, 0.0));
        assert_eq!(Spectrum::of(&[0.0, 0.1], 2).unwrap().gap, None);
        assert_eq!(Spectrum::of(&[0.0], 1), None);
        assert!(ClusterReport { spectrum: Some(spectrum), ..Default::default() }.html().unwrap().contains("gap"));
    }

    #[test]
    fn losses_are_a_line() {
        let curve = Curve::of(&[1.0, 0.0, 0.5]).unwrap();
        assert_eq!((curve.points.as_str(), curve.range, curve.last), ("0,0 190,120 380,60", [0.0, 1.0], 0.5));
        assert_eq!(Curve::of(&[1.0]), None);
        assert_eq!(Curve::of(&[1.0, f64::NAN]), None);
        assert!(ClusterReport { curve: Some(curve), ..Default::default() }.html().unwrap().contains("polyline"));
    }
}
