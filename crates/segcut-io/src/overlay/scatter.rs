//! Points in the plane with labels → picture.

use super::{Picture, region_color};
use segcut_core::VOID;

const BACKGROUND: [u8; 3] = [255, 255, 255];
const UNLABELED: [u8; 3] = [170, 170, 170];
/// Share of the side that is left free around the points.
const MARGIN: f64 = 0.05;

/// Points (x, y) with one label each → a square picture of discs in the regions' colors.
///
/// Both axes have one scale and y points upwards. [`VOID`] is gray. Later points lie on earlier ones, unlabeled ones
/// below all others. Points that are not finite are left out.
///
/// ```
/// use segcut_io::overlay::{region_color, scatter};
/// let picture = scatter(&[[0.0, 0.0], [1.0, 1.0]], &[0, 1], 40);
/// assert_eq!(picture.rgb()[3 * (37 * 40 + 2)..][..3], region_color(0));
/// assert_eq!(picture.rgb()[3 * (2 * 40 + 37)..][..3], region_color(1));
/// ```
pub fn scatter(points: &[[f64; 2]], labels: &[u32], side: usize) -> Picture {
    let mut picture = Picture::filled(side, side, BACKGROUND);
    let finite = || points.iter().filter(|point| point.iter().all(|x| x.is_finite()));
    let bound = |axis: usize, start: f64, pick: fn(f64, f64) -> f64| finite().map(|p| p[axis]).fold(start, pick);
    let low = [0, 1].map(|axis| bound(axis, f64::INFINITY, f64::min));
    let high = [0, 1].map(|axis| bound(axis, f64::NEG_INFINITY, f64::max));
    let extent = (high[0] - low[0]).max(high[1] - low[1]);
    let span = if extent > 0.0 { extent } else { 1.0 };
    let area = side as f64 * (1.0 - 2.0 * MARGIN);
    let place = |point: [f64; 2]| -> [f64; 2] {
        let share = |axis: usize| (point[axis] - (low[axis] + high[axis]) / 2.0) / span;
        let middle = side as f64 / 2.0;
        [middle + share(0) * area, middle - share(1) * area]
    };
    let radius =
        (0.45 * side as f64 / (points.len().max(1) as f64).sqrt()).clamp(0.004 * side as f64, 0.008 * side as f64);
    let order = |labeled: bool| (0..points.len()).filter(move |&i| (labels.get(i) != Some(&VOID)) == labeled);
    for i in order(false).chain(order(true)) {
        if points[i].iter().all(|x| x.is_finite()) {
            let color = labels.get(i).filter(|&&label| label != VOID).map_or(UNLABELED, |&label| region_color(label));
            disc(&mut picture, place(points[i]), radius.max(1.5), color);
        }
    }
    picture
}

/// A disc whose rim is mixed with what lies below.
fn disc(picture: &mut Picture, [x, y]: [f64; 2], radius: f64, color: [u8; 3]) {
    let side = picture.width();
    let range = |center: f64| {
        let low = (center - radius - 1.0).max(0.0) as usize;
        low..((center + radius + 1.0).max(0.0) as usize + 1).min(side)
    };
    for row in range(y) {
        for column in range(x) {
            let (dx, dy) = (column as f64 + 0.5 - x, row as f64 + 0.5 - y);
            let cover = (radius + 0.5 - dx.hypot(dy)).clamp(0.0, 1.0);
            if cover > 0.0 {
                let pixel = &mut picture.pixels_mut()[row * side + column];
                let mix = |old: u8, new: u8| (f64::from(old) + (f64::from(new) - f64::from(old)) * cover).round() as u8;
                *pixel = std::array::from_fn(|channel| mix(pixel[channel], color[channel]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_inputs_are_pictures() {
        assert_eq!(scatter(&[], &[], 8).rgb(), [255; 192]);
        let same = scatter(&[[3.0, 3.0], [3.0, 3.0]], &[VOID, 0], 20);
        assert_eq!(same.rgb()[3 * (10 * 20 + 10)..][..3], region_color(0));
        let odd = scatter(&[[f64::NAN, 0.0], [0.0, 1e300], [0.0, -1e300]], &[0, 1, 2], 20);
        assert_eq!(odd.rgb().len(), 1200);
    }
}
