//! Region centroids → pairs within a distance.

use segcut_core::Geometry;

/// (u, v) with u < v of regions that have pixels and centroids within `radius`, unsorted.
///
/// # Cost
/// O(n log n + pairs), by cells of side `radius`.
pub(crate) fn near_pairs(place: &Geometry, radius: f64) -> Vec<[u32; 2]> {
    if radius <= 0.0 {
        return Vec::new();
    }
    let cell = |node: u32| place.centroid[node as usize].map(|x| (x / radius) as u32);
    let mut nodes: Vec<([u32; 2], u32)> =
        (0..place.size.len() as u32).filter(|&node| place.size[node as usize] > 0.0).map(|n| (cell(n), n)).collect();
    nodes.sort_unstable();
    let near = |u: u32, v: u32| {
        let [a, b] = [u, v].map(|node| place.centroid[node as usize]);
        (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2) <= radius * radius
    };
    let mut pairs = Vec::new();
    for (at, &([row, column], u)) in nodes.iter().enumerate() {
        // Later nodes of this cell and the next one, then the three cells below.
        let own = nodes[at + 1..].iter().take_while(|(cell, _)| *cell <= [row, column + 1]);
        let first = nodes.partition_point(|(cell, _)| *cell < [row + 1, column.saturating_sub(1)]);
        let below = nodes[first..].iter().take_while(|(cell, _)| *cell <= [row + 1, column + 1]);
        let found = own.chain(below).map(|&(_, v)| v).filter(|&v| near(u, v));
        pairs.extend(found.map(|v| [u.min(v), u.max(v)]));
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pairs_are_those_of_all_against_all(
            points in prop::collection::vec((0f64..90.0, 0f64..90.0, 0u8..9), 0..60), radius in 1f64..40.0,
        ) {
            let place = Geometry {
                image_size: [90, 90],
                size: points.iter().map(|p| f64::from(p.2.min(1))).collect(),
                centroid: points.iter().map(|p| [p.0, p.1]).collect(),
                border_share: vec![0.0; points.len()],
            };
            let mut found = near_pairs(&place, radius);
            found.sort_unstable();
            let mut plain = Vec::new();
            for (u, a) in points.iter().enumerate() {
                for (v, b) in points.iter().enumerate().skip(u + 1) {
                    let distance = ((a.0 - b.0).powi(2) + (a.1 - b.1).powi(2)).sqrt();
                    if distance <= radius && a.2 > 0 && b.2 > 0 {
                        plain.push([u as u32, v as u32]);
                    }
                }
            }
            prop_assert_eq!(found, plain);
        }
    }
}
