//! The choice of the foreground among regions.

mod attention;
mod boundary_connectivity;
mod contrast;

pub use attention::AttentionError;

use crate::region_table::RegionTable;
use boundary_connectivity::{background_probability, boundary_connectivity, soft_boundary_connectivity};
use segcut_core::{Context, Evidence, Image, LabelMap, Refiner, StageError, VOID};
use segcut_graph::otsu;
use serde::{Deserialize, Serialize};

/// By what the background is told from the foreground.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cue {
    /// The share of the image's frame that the region covers, 0 to 1.
    BorderShare,
    /// The region's pixels on the frame over the square root of its area (Zhu et al. 2014, eq. 1).
    #[default]
    BoundaryConnectivity,
    /// Color contrast to what is background by boundary connectivity (Zhu et al. 2014, section 4.1), negated.
    Contrast,
    /// Cosine of the features to those of the superpixel with the least attention (Siméoni et al. 2023; 0.3 is their
    /// threshold), averaged over the regions. Needs an extractor that gives attention.
    Attention,
}

/// Parameters of [`Foreground`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ForegroundParams {
    /// By what the regions are told apart. Default: boundary connectivity.
    pub cue: Cue,
    /// Whether connectivity and contrast are computed on the superpixels, each with the soft region around it
    /// (Zhu et al. 2014, eq. 3 to 5), and averaged over the regions; false: on the regions themselves. The border
    /// share does not read it. Default: false.
    pub soft: bool,
    /// Regions whose cue reaches this are background. Without it the level that splits the regions best, by area
    /// (Otsu 1979). Default: none.
    pub threshold: Option<f64>,
    /// σ of the color distance in the soft regions, in Lab units, above 0. Default: 10 (Zhu et al. 2014).
    pub sigma_color: f64,
}

impl Default for ForegroundParams {
    fn default() -> Self {
        Self { cue: Cue::BoundaryConnectivity, soft: false, threshold: None, sigma_color: 10.0 }
    }
}

/// Regions → 0 (background) and 1 (foreground).
///
/// Each region gets a number that is higher the more it looks like background ([`Cue`]); a level splits them. After
/// W. Zhu, S. Liang, Y. Wei, J. Sun, "Saliency optimization from robust background detection", CVPR 2014; their last
/// step, a least-squares optimization over superpixels, is left out, since the regions are given.
///
/// Neither class is ever empty where there are two regions to choose from: where the level puts all on one side,
/// the region that looks least (most) like background is the foreground (background); of equal ones the larger is
/// background. Fewer than two regions: the superpixels stand in; fewer than two superpixels: all is background (0).
///
/// # Units
/// Frame length and area in pixels, color distance in Lab units, positions relative to height and width.
///
/// # Determinism
/// No randomness; ties go by area, then by the smaller label.
///
/// # Cost
/// O(pixels); with `soft`, and for the contrast, O(n²) or a shortest-path search from each of n superpixels.
#[derive(Debug, Clone)]
pub struct Foreground {
    params: ForegroundParams,
}

impl Foreground {
    /// The stage with its parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`] for a σ that is not above 0 or a threshold that is not a number.
    pub fn new(params: ForegroundParams) -> Result<Self, StageError> {
        if !(params.sigma_color > 0.0 && params.sigma_color.is_finite()) {
            return Err(StageError::parameter("refine.sigma_color", params.sigma_color, "above 0"));
        }
        match params.threshold {
            Some(t) if !t.is_finite() => Err(StageError::parameter("refine.threshold", t, "finite")),
            _ => Ok(Self { params }),
        }
    }

    /// One number per region, higher for background; any number for labels without pixels.
    fn rate(&self, evidence: &Evidence<'_>, regions: &LabelMap) -> Result<Vec<f64>, StageError> {
        if self.params.cue == Cue::Attention {
            let likeness = attention::likeness_to_seed(evidence).map_err(StageError::data)?;
            return Ok(mean_over(regions, evidence.superpixels, &likeness));
        }
        self.rate_colors(evidence.image, evidence.superpixels, regions)
    }

    fn rate_colors(&self, image: &Image, superpixels: &LabelMap, regions: &LabelMap) -> Result<Vec<f64>, StageError> {
        let soft = self.params.soft && self.params.cue != Cue::BorderShare;
        let units = if soft { superpixels } else { regions };
        let table = RegionTable::measure(image, units).map_err(StageError::data)?;
        let connectivity = match soft {
            true => soft_boundary_connectivity(&table, units, self.params.sigma_color),
            false => boundary_connectivity(&table),
        };
        let rated = match self.params.cue {
            Cue::BorderShare => {
                let frame: f64 = table.frame.iter().sum();
                table.frame.iter().map(|on_frame| on_frame / frame.max(1.0)).collect()
            }
            Cue::BoundaryConnectivity | Cue::Attention => connectivity,
            Cue::Contrast => {
                let background: Vec<f64> = connectivity.into_iter().map(background_probability).collect();
                let size = [image.height() as f64, image.width() as f64];
                contrast::contrast(&table, &background, size).into_iter().map(|contrast| -contrast).collect()
            }
        };
        Ok(if soft { mean_over(regions, superpixels, &rated) } else { rated })
    }
}

impl Refiner for Foreground {
    fn refine(&self, evidence: &Evidence<'_>, labels: LabelMap, _: &Context) -> Result<LabelMap, StageError> {
        let stand_in = is_one(&labels).then(|| restricted(evidence.superpixels, &labels)).flatten();
        let regions = stand_in.unwrap_or(labels);
        if is_one(&regions) {
            return Ok(regions.map_pixels(1, |_, _| 0));
        }
        let rated = self.rate(evidence, &regions)?;
        let foreground = split(&rated, &regions.sizes(), self.params.threshold);
        Ok(regions.map_pixels(2, |_, region| u32::from(foreground[region as usize])))
    }
}

/// Whether fewer than two labels have pixels.
fn is_one(map: &LabelMap) -> bool {
    let mut labels = map.labels().iter().filter(|&&label| label != VOID);
    let first = labels.next();
    labels.all(|label| Some(label) == first)
}

/// The superpixels where the labels are not VOID; none where their sizes differ or a labelled pixel has none.
fn restricted(superpixels: &LabelMap, labels: &LabelMap) -> Option<LabelMap> {
    let fits = (superpixels.height(), superpixels.width()) == (labels.height(), labels.width());
    let pairs = || superpixels.labels().iter().zip(labels.labels());
    if !fits || pairs().any(|(&superpixel, &label)| superpixel == VOID && label != VOID) {
        return None;
    }
    let names = superpixels.labels();
    Some(labels.clone().map_pixels(superpixels.n(), |at, _| names[at]))
}

/// The mean of the superpixels' values over every region.
fn mean_over(regions: &LabelMap, superpixels: &LabelMap, values: &[f64]) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); regions.n()];
    for (&region, &superpixel) in regions.labels().iter().zip(superpixels.labels()) {
        if let (Some(sum), Some(value)) = (sums.get_mut(region as usize), values.get(superpixel as usize)) {
            *sum = (sum.0 + value, sum.1 + 1.0);
        }
    }
    sums.into_iter().map(|(sum, pixels): (f64, f64)| sum / pixels.max(1.0)).collect()
}

/// Which regions are foreground: those below the level, never none and never all of two or more.
fn split(rated: &[f64], sizes: &[usize], threshold: Option<f64>) -> Vec<bool> {
    let mut order: Vec<usize> = (0..rated.len()).filter(|&region| sizes[region] > 0).collect();
    // From foreground to background; of equal ones the smaller, then the later label first.
    order.sort_by(|&a, &b| rated[a].total_cmp(&rated[b]).then(sizes[a].cmp(&sizes[b])).then(b.cmp(&a)));
    let below = match threshold {
        Some(level) => order.partition_point(|&region| rated[region] < level),
        None => {
            let weighted: Vec<[f64; 2]> = order.iter().map(|&r| [rated[r], sizes[r] as f64]).collect();
            otsu(&weighted)
        }
    };
    let mut foreground = vec![false; rated.len()];
    let last = order.len().saturating_sub(1).max(1);
    order[..below.clamp(1, last)].iter().for_each(|&region| foreground[region] = true);
    foreground
}

#[cfg(test)]
mod tests;
