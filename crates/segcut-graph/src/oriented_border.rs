//! Borders between regions → their direction, and the oriented contour strength along them.

use segcut_core::{ContourSum, LabelMap, VOID};
use std::f32::consts::PI;

/// How far the direction of a border is looked at, in pixels.
const REACH: f32 = 5.0;

/// Two neighbouring pixels of different regions.
#[derive(Debug, Clone, Copy, PartialEq)]
struct PixelEdge {
    /// The upper or left pixel.
    at: u32,
    /// Whether the other one is below, not to the right.
    down: bool,
    /// Index of the graph's edge.
    edge: u32,
}

/// Mean strength along every edge's border, read where the contour runs as the border does.
///
/// The direction at a pixel edge is the first principal axis of the midpoints of the same border's pixel edges
/// within 5 pixels, and its strength the mean of its two pixels, interpolated between the two nearest
/// orientations: the oriented watershed transform of Arbeláez et al. 2011, section 4.1, with principal axes
/// for straight segments. None for edges that no two 4-neighbours cross.
///
/// # Cost
/// O(pixel edges · log) for the directions; the contour is read in bands of rows.
pub(crate) fn oriented_strength(
    labels: &LabelMap,
    edges: &[[u32; 2]],
    contour: &ContourSum<'_, '_>,
) -> Vec<Option<f32>> {
    let found = pixel_edges(labels, edges);
    let angles = directions(&found, edges.len(), labels.width());
    let (height, width, orientations) = (labels.height(), labels.width(), contour.orientations());
    let mut sums = vec![(0.0f64, 0u32); edges.len()];
    let (mut buffer, mut next) = (Vec::new(), 0);
    for top in (0..height).step_by(contour.band_rows()) {
        let rows = top..(top + contour.band_rows()).min(height);
        let tall = rows.start..(rows.end + 1).min(height);
        buffer.resize(tall.len() * width * orientations, 0.0);
        contour.read_rows(tall, &mut buffer);
        while next < found.len() && (found[next].at as usize) < rows.end * width {
            let PixelEdge { at, down, edge } = found[next];
            let first = at as usize - rows.start * width;
            let second = first + if down { width } else { 1 };
            let value = |pixel: usize| at_angle(&buffer[pixel * orientations..][..orientations], angles[next]);
            let (sum, count) = &mut sums[edge as usize];
            *sum += f64::from(0.5 * (value(first) + value(second)));
            *count += 1;
            next += 1;
        }
    }
    sums.into_iter().map(|(sum, count)| (count > 0).then(|| (sum / f64::from(count)) as f32)).collect()
}

/// The strength at an angle from 0 to π, linear between the two orientations beside it.
fn at_angle(strengths: &[f32], angle: f32) -> f32 {
    let count = strengths.len();
    let place = angle / PI * count as f32;
    let low = place as usize;
    let share = place - low as f32;
    (1.0 - share) * strengths[low % count] + share * strengths[(low + 1) % count]
}

/// Every pair of 4-neighbours in different regions, in reading order.
fn pixel_edges(labels: &LabelMap, edges: &[[u32; 2]]) -> Vec<PixelEdge> {
    let (width, all) = (labels.width(), labels.labels());
    let mut starts = vec![0u32; labels.n() + 1];
    edges.iter().for_each(|edge| starts[edge[0] as usize + 1] += 1);
    (0..labels.n()).for_each(|node| starts[node + 1] += starts[node]);
    let number = |a: u32, b: u32| {
        let (low, high) = (a.min(b), a.max(b));
        let range = starts[low as usize] as usize..starts[low as usize + 1] as usize;
        range.start as u32 + edges[range].partition_point(|edge| edge[1] < high) as u32
    };
    let mut found = Vec::new();
    for (at, &here) in all.iter().enumerate().filter(|(_, label)| **label != VOID) {
        if (at + 1) % width != 0 && all[at + 1] != here && all[at + 1] != VOID {
            found.push(PixelEdge { at: at as u32, down: false, edge: number(here, all[at + 1]) });
        }
        if at + width < all.len() && all[at + width] != here && all[at + width] != VOID {
            found.push(PixelEdge { at: at as u32, down: true, edge: number(here, all[at + width]) });
        }
    }
    found
}

/// Midpoint (row, column) in half pixels.
fn midpoint(edge: &PixelEdge, width: usize) -> [i32; 2] {
    let (row, column) = (edge.at as usize / width, edge.at as usize % width);
    [2 * row as i32 + i32::from(edge.down), 2 * column as i32 + i32::from(!edge.down)]
}

/// The angle of the border at every pixel edge, from 0 to π.
fn directions(found: &[PixelEdge], borders: usize, width: usize) -> Vec<f32> {
    let mut starts = vec![0u32; borders + 1];
    found.iter().for_each(|edge| starts[edge.edge as usize + 1] += 1);
    (0..borders).for_each(|border| starts[border + 1] += starts[border]);
    let mut next = starts.clone();
    let mut order = vec![0u32; found.len()];
    for (i, edge) in (0..).zip(found) {
        order[next[edge.edge as usize] as usize] = i;
        next[edge.edge as usize] += 1;
    }
    let mut angles = vec![0.0; found.len()];
    let mut points = Vec::new();
    for border in 0..borders {
        let own = &order[starts[border] as usize..starts[border + 1] as usize];
        points.clear();
        points.extend(own.iter().map(|&i| midpoint(&found[i as usize], width)));
        points.sort_unstable();
        for &i in own {
            let edge = &found[i as usize];
            let alone = if edge.down { 0.0 } else { PI / 2.0 };
            angles[i as usize] = principal_angle(&points, midpoint(edge, width)).unwrap_or(alone);
        }
    }
    angles
}

/// The first principal axis of the sorted points within reach of one; none where it is alone.
fn principal_angle(points: &[[i32; 2]], centre: [i32; 2]) -> Option<f32> {
    let reach = (2.0 * REACH) as i32;
    let bound = 4.0 * REACH * REACH + 2.0;
    let (mut count, mut sx, mut sy, mut sxx, mut syy, mut sxy) = (0.0f32, 0.0f32, 0.0f32, 0.0f32, 0.0f32, 0.0f32);
    let mut first = points.partition_point(|p| *p < [centre[0] - reach, i32::MIN]);
    while first < points.len() && points[first][0] <= centre[0] + reach {
        let row = points[first][0];
        let rest = &points[first..];
        let from = rest.partition_point(|p| *p < [row, centre[1] - reach]);
        for p in rest[from..].iter().take_while(|p| **p <= [row, centre[1] + reach]) {
            let (y, x) = ((p[0] - centre[0]) as f32, (p[1] - centre[1]) as f32);
            if x * x + y * y <= bound {
                count += 1.0;
                sx += x;
                sy += y;
                sxx += x * x;
                syy += y * y;
                sxy += x * y;
            }
        }
        first += rest.partition_point(|p| *p <= [row, i32::MAX]);
    }
    if count < 2.0 {
        return None;
    }
    let (xx, yy, xy) = (sxx - sx * sx / count, syy - sy * sy / count, sxy - sx * sy / count);
    let angle = 0.5 * (2.0 * xy).atan2(xx - yy);
    Some(if angle < 0.0 { angle + PI } else { angle }.min(PI))
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::{FeatureMap, Grid};
    use std::collections::BTreeMap;

    const SIDE: usize = 12;

    /// Four orientations whose strengths are 0, 1, 2, 3.
    fn strength_of(labels: Vec<u32>) -> Vec<f32> {
        let labels = LabelMap::new(SIDE, SIDE, labels).unwrap();
        let values = [0.0, 1.0, 2.0, 3.0].repeat(SIDE * SIDE);
        let maps = [FeatureMap::held("contour", Grid::pixels(SIDE, SIDE), 4, values).unwrap()];
        let contour = ContourSum::of(&maps, &BTreeMap::new(), [SIDE, SIDE]).unwrap().unwrap();
        oriented_strength(&labels, &[[0, 1]], &contour).into_iter().flatten().collect()
    }

    fn halves(second: impl Fn(usize, usize) -> bool) -> Vec<u32> {
        (0..SIDE * SIDE).map(|i| u32::from(second(i / SIDE, i % SIDE))).collect()
    }

    #[test]
    fn straight_borders_read_their_own_orientation() {
        assert_eq!(strength_of(halves(|y, _| y >= 5)), [0.0]);
        assert_eq!(strength_of(halves(|_, x| x >= 5)), [2.0]);
        let falling = strength_of(halves(|y, x| x > y))[0];
        let rising = strength_of(halves(|y, x| x + y >= SIDE))[0];
        assert!((falling - 1.0).abs() < 0.1 && (rising - 3.0).abs() < 0.1, "{falling} {rising}");
    }

    #[test]
    fn one_pixel_edge_has_the_direction_of_its_own_side() {
        let labels = LabelMap::new(2, 1, vec![0, 1]).unwrap();
        let found = pixel_edges(&labels, &[[0, 1]]);
        assert_eq!(found, [PixelEdge { at: 0, down: true, edge: 0 }]);
        assert_eq!(directions(&found, 1, 1), [0.0]);
    }

    #[test]
    fn axes_of_few_points_are_exact() {
        let points = [[0, 0], [2, 2], [4, 4]];
        let angle = principal_angle(&points, [2, 2]).unwrap();
        assert!((angle - PI / 4.0).abs() < 1e-6);
        assert_eq!(principal_angle(&points[..1], [0, 0]), None);
    }

    #[test]
    fn between_two_orientations_strengths_mix() {
        assert!((at_angle(&[0.0, 4.0], PI / 4.0) - 2.0).abs() < 1e-6);
        assert!((at_angle(&[0.0, 4.0], 0.75 * PI) - 2.0).abs() < 1e-6);
        assert_eq!(at_angle(&[1.0, 4.0], PI), 1.0);
    }
}
