//! Label map → size, centroid and border share of its regions.

use segcut_core::{Geometry, LabelMap, VOID};

/// Where the regions of a label map lie.
///
/// An empty region has size 0, border share 0 and its centroid at the origin.
///
/// # Units
/// Centroids are (row, column) in pixels, with pixel centres at whole numbers. The border share is the
/// number of the region's pixels on the frame divided by the number of pixels on the frame.
///
/// # Examples
/// ```
/// let labels = segcut_core::LabelMap::new(3, 3, vec![0, 0, 0, 0, 1, 0, 0, 0, 0])?;
/// let geometry = segcut_graph::geometry(&labels);
/// assert_eq!((geometry.size[1], geometry.centroid[1], geometry.border_share[1]), (1.0, [1.0, 1.0], 0.0));
/// assert_eq!((geometry.size[0], geometry.centroid[0], geometry.border_share[0]), (8.0, [1.0, 1.0], 1.0));
/// # Ok::<(), segcut_core::LabelMapError>(())
/// ```
pub fn geometry(labels: &LabelMap) -> Geometry {
    let (height, width, n) = (labels.height(), labels.width(), labels.n());
    let mut found = Geometry {
        image_size: [height, width],
        size: vec![0.0; n],
        centroid: vec![[0.0; 2]; n],
        border_share: vec![0.0; n],
    };
    for (row, line) in labels.labels().chunks_exact(width.max(1)).enumerate() {
        add_row(&mut found, row, line);
    }
    let frame = (height * width - height.saturating_sub(2) * width.saturating_sub(2)).max(1);
    for node in 0..n {
        let size = found.size[node].max(1.0);
        found.centroid[node] = found.centroid[node].map(|sum| sum / size);
        found.border_share[node] /= frame as f64;
    }
    found
}

fn add_row(found: &mut Geometry, row: usize, line: &[u32]) {
    let last_row = row + 1 == found.image_size[0];
    let mut start = 0;
    for run in line.chunk_by(PartialEq::eq) {
        let end = start + run.len();
        if run[0] != VOID {
            let (node, length) = (run[0] as usize, run.len() as f64);
            found.size[node] += length;
            found.centroid[node][0] += length * row as f64;
            found.centroid[node][1] += length * (start + end - 1) as f64 / 2.0;
            let sides = usize::from(start == 0) + usize::from(end == line.len());
            found.border_share[node] += if row == 0 || last_row { length } else { sides.min(run.len()) as f64 };
        }
        start = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_the_frame_sum_to_one() {
        for (height, width) in [(1, 1), (1, 5), (4, 1), (2, 2), (3, 4), (5, 7)] {
            let labels = LabelMap::new(height, width, (0..(height * width) as u32).map(|i| i % 3).collect()).unwrap();
            let total: f64 = geometry(&labels).border_share.iter().sum();
            assert!((total - 1.0).abs() < 1e-12, "{height}x{width}: {total}");
        }
    }

    #[test]
    fn void_and_empty_regions_have_no_place() {
        let labels = LabelMap::with_n(2, 2, vec![VOID, 2, 2, VOID], 3).unwrap();
        let found = geometry(&labels);
        assert_eq!(found.size, [0.0, 0.0, 2.0]);
        assert_eq!(found.centroid, [[0.0; 2], [0.0; 2], [0.5, 0.5]]);
        assert_eq!(found.border_share, [0.0, 0.0, 0.5]);
    }
}
