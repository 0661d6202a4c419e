//! Feature map → mean or histogram per region.

use crate::RagError;
use crate::adjacency::bands;
use crate::histogram::histograms;
use crate::pair_table::PairTable;
use segcut_core::{FeatureBlock, FeatureMap, LabelMap, VOID};
use std::ops::Range;

/// Means of a feature map over the regions of a label map; of a map of codes, the histograms of its regions.
///
/// A map of single pixels is averaged pixel by pixel. Any other grid (ViT patches) is averaged by the
/// area that cell and region share, as if every cell were constant; cells at the rim of the grid reach
/// to the frame of the image. A region without pixels has zeros.
///
/// Codes are counted: a region has, per dimension, the share of its pixels in each bin, a pixel having
/// the code of the cell whose centre is nearest to it. The shares are then blurred along the bins where
/// the codes say so (the bins at the ends repeated beyond them).
///
/// # Errors
/// [`RagError::Size`] where a map of single pixels has another size than the labels.
///
/// # Cost
/// Pixels: O(H·W·d), read in bands of rows. Other grids: O(H·W) for the shared areas, then one
/// multiplication per dimension and (cell, region) pair.
///
/// # Examples
/// ```
/// use segcut_core::{FeatureMap, Grid, LabelMap};
/// let labels = LabelMap::new(1, 4, vec![0, 0, 0, 1])?;
/// let halves = Grid { rows: 1, cols: 2, step: [1.0, 2.0], origin: [0.0, 0.5] };
/// let map = FeatureMap::held("x", halves, 1, vec![3.0, 9.0])?;
/// assert_eq!(segcut_graph::pool(&labels, &map)?.values, [5.0, 9.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn pool(labels: &LabelMap, map: &FeatureMap<'_>) -> Result<FeatureBlock, RagError> {
    if let Some(codes) = map.codes() {
        return histograms(labels, map, codes);
    }
    let mut sums = Sums::new(labels.n(), map.dims());
    if map.grid().is_pixels() {
        check_size(labels, map)?;
        pool_pixels(labels, map, &mut sums);
    } else {
        pool_cells(labels, map, &mut sums);
    }
    Ok(sums.means(map.name()))
}

/// Refuses a map of single pixels that has another size than the labels.
pub(crate) fn check_size(labels: &LabelMap, map: &FeatureMap<'_>) -> Result<(), RagError> {
    let found = [map.grid().rows, map.grid().cols];
    let labels = [labels.height(), labels.width()];
    if found == labels {
        return Ok(());
    }
    Err(RagError::Size { name: map.name().to_owned(), found, labels })
}

struct Sums {
    dims: usize,
    values: Vec<f64>,
    weights: Vec<f64>,
}

impl Sums {
    fn new(n: usize, dims: usize) -> Self {
        Self { dims, values: vec![0.0; n * dims], weights: vec![0.0; n] }
    }

    fn means(self, name: &str) -> FeatureBlock {
        let mut values = Vec::with_capacity(self.values.len());
        for (node, &weight) in self.weights.iter().enumerate() {
            let sums = &self.values[node * self.dims..(node + 1) * self.dims];
            values.extend(sums.iter().map(|&sum| if weight > 0.0 { (sum / weight) as f32 } else { 0.0 }));
        }
        FeatureBlock { name: name.to_owned(), dims: self.dims, values, bins: Vec::new() }
    }
}

fn pool_pixels(labels: &LabelMap, map: &FeatureMap<'_>, sums: &mut Sums) {
    let width = labels.width();
    let row = width * map.dims();
    let mut buffer = Vec::new();
    for rows in bands(labels.height(), width) {
        let regions = &labels.labels()[rows.start * width..rows.end * width];
        if let Some(held) = map.held_values() {
            add_pixels(regions, &held[rows.start * row..rows.end * row], sums);
        } else {
            buffer.resize(rows.len() * row, 0.0);
            map.read_rows(rows, &mut buffer);
            add_pixels(regions, &buffer, sums);
        }
    }
}

fn add_pixels(regions: &[u32], values: &[f32], sums: &mut Sums) {
    match sums.dims {
        1 => add_runs::<1>(regions, values, sums),
        2 => add_runs::<2>(regions, values, sums),
        3 => add_runs::<3>(regions, values, sums),
        _ => add_each(regions, values, sums),
    }
}

/// Runs of one label are summed in registers.
fn add_runs<const D: usize>(regions: &[u32], values: &[f32], sums: &mut Sums) {
    let mut rest = values;
    for run in regions.chunk_by(PartialEq::eq) {
        let (here, after) = rest.split_at(run.len() * D);
        rest = after;
        if run[0] == VOID {
            continue;
        }
        let mut total = [0.0; D];
        for pixel in here.chunks_exact(D) {
            for (sum, &value) in total.iter_mut().zip(pixel) {
                *sum += f64::from(value);
            }
        }
        let node = run[0] as usize;
        sums.weights[node] += run.len() as f64;
        for (sum, part) in sums.values[node * D..(node + 1) * D].iter_mut().zip(total) {
            *sum += part;
        }
    }
}

fn add_each(regions: &[u32], values: &[f32], sums: &mut Sums) {
    for (&region, pixel) in regions.iter().zip(values.chunks_exact(sums.dims.max(1))) {
        if region != VOID {
            add_weighted(sums, region, pixel, 1.0);
        }
    }
}

fn add_weighted(sums: &mut Sums, region: u32, values: &[f32], weight: f64) {
    let node = region as usize;
    sums.weights[node] += weight;
    for (sum, &value) in sums.values[node * sums.dims..].iter_mut().zip(values) {
        *sum += weight * f64::from(value);
    }
}

/// Areas shared by cells and regions, then one weighted sum of the cells' vectors per region.
fn pool_cells(labels: &LabelMap, map: &FeatureMap<'_>, sums: &mut Sums) {
    let grid = map.grid();
    if grid.rows == 0 || grid.cols == 0 {
        return;
    }
    let mut table = PairTable::new();
    let mut areas: Vec<f64> = Vec::new();
    let down = overlaps(labels.height(), grid.rows, grid.step[0], grid.origin[0]);
    let right = overlaps(labels.width(), grid.cols, grid.step[1], grid.origin[1]);
    for (row, line) in labels.labels().chunks_exact(labels.width().max(1)).enumerate() {
        for cell_row in down.of(row) {
            for (column, &region) in line.iter().enumerate().filter(|&(_, &region)| region != VOID) {
                for cell in right.of(column) {
                    let number = table.number((cell_row.0 * grid.cols + cell.0) as u32, region);
                    areas.resize(table.len(), 0.0);
                    areas[number] += cell_row.1 * cell.1;
                }
            }
        }
    }
    let mut line = vec![0.0; grid.cols * sums.dims];
    let mut held = usize::MAX;
    for ([cell, region], number) in table.sorted() {
        let (row, column) = (cell as usize / grid.cols, cell as usize % grid.cols);
        if row != held {
            map.read_rows(row..row + 1, &mut line);
            held = row;
        }
        let vector = &line[column * sums.dims..(column + 1) * sums.dims];
        add_weighted(sums, region, vector, areas[number as usize]);
    }
}

/// Per pixel of one axis: the cells that it overlaps, each with the share of the pixel.
struct Overlaps {
    shares: Vec<(usize, f64)>,
    ranges: Vec<Range<usize>>,
}

impl Overlaps {
    fn of(&self, pixel: usize) -> &[(usize, f64)] {
        &self.shares[self.ranges[pixel].clone()]
    }
}

fn overlaps(pixels: usize, cells: usize, step: f64, origin: f64) -> Overlaps {
    let mut found = Overlaps { shares: Vec::new(), ranges: Vec::with_capacity(pixels) };
    let cell_of = |x: f64| (((x - origin) / step + 0.5).floor().max(0.0) as usize).min(cells - 1);
    for pixel in 0..pixels {
        let (low, high) = (pixel as f64 - 0.5, pixel as f64 + 0.5);
        let start = found.shares.len();
        for cell in cell_of(low)..=cell_of(high) {
            let left = if cell == 0 { low } else { low.max(origin + (cell as f64 - 0.5) * step) };
            let right = if cell + 1 == cells { high } else { high.min(origin + (cell as f64 + 0.5) * step) };
            if right > left {
                found.shares.push((cell, right - left));
            }
        }
        found.ranges.push(start..found.shares.len());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use segcut_core::Grid;

    fn labels(height: usize, width: usize, seed: u32) -> LabelMap {
        let label = |i: usize| match (i as u32 / 3).wrapping_mul(2_654_435_761 ^ seed) >> 29 {
            7 => VOID,
            label => label,
        };
        LabelMap::with_n(height, width, (0..height * width).map(label).collect(), 7).unwrap()
    }

    fn ramp(count: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 7919) % 101) as f32 / 10.0).collect()
    }

    #[test]
    fn an_empty_region_has_zeros_and_void_counts_nowhere() {
        let labels = LabelMap::with_n(1, 3, vec![2, VOID, 2], 3).unwrap();
        let map = FeatureMap::held("x", Grid::pixels(1, 3), 2, vec![1.0, 2.0, 90.0, 90.0, 3.0, 6.0]).unwrap();
        assert_eq!(pool(&labels, &map).unwrap().values, [0.0, 0.0, 0.0, 0.0, 2.0, 4.0]);
    }

    #[test]
    fn a_map_of_another_size_is_refused() {
        let map = FeatureMap::held("x", Grid::pixels(1, 3), 1, vec![0.0; 3]).unwrap();
        let error = pool(&labels(1, 4, 0), &map).unwrap_err();
        assert_eq!(error, RagError::Size { name: "x".into(), found: [1, 3], labels: [1, 4] });
    }

    #[test]
    fn patches_that_miss_the_frame_reach_to_it() {
        let labels = LabelMap::new(1, 5, vec![0, 1, 1, 1, 2]).unwrap();
        let grid = Grid { rows: 1, cols: 2, step: [1.0, 1.5], origin: [0.0, 1.25] };
        let map = FeatureMap::held("x", grid, 1, vec![0.0, 4.0]).unwrap();
        assert_eq!(pool(&labels, &map).unwrap().values, [0.0, 2.0, 4.0]);
    }

    proptest! {
        #[test]
        fn every_dimension_count_gives_the_plain_mean(
            (height, width, dims, seed) in (1usize..9, 1usize..40, 1usize..6, 0u32..99),
        ) {
            let (labels, values) = (labels(height, width, seed), ramp(height * width * dims));
            let map = FeatureMap::held("x", Grid::pixels(height, width), dims, values.clone()).unwrap();
            let block = pool(&labels, &map).unwrap();
            for node in 0..7 {
                for dim in 0..dims {
                    let inside = labels.labels().iter().enumerate().filter(|&(_, &l)| l == node);
                    let of: Vec<f64> = inside.map(|(i, _)| f64::from(values[i * dims + dim])).collect();
                    let mean = of.iter().sum::<f64>() / of.len().max(1) as f64;
                    prop_assert!((f64::from(block.row(node as usize)[dim]) - mean).abs() < 1e-5);
                }
            }
        }

        /// Sides of cells in quarters of a pixel: every sixteenth of a pixel lies in one cell.
        #[test]
        fn cells_of_broken_size_share_pixels_by_area(
            (rows, cols, down, right, seed) in (1usize..5, 1usize..5, 4usize..19, 4usize..19, 0u32..99),
        ) {
            let (height, width) = ((rows * down).div_ceil(4), (cols * right).div_ceil(4));
            let step = [down as f64 / 4.0, right as f64 / 4.0];
            let grid = Grid { rows, cols, step, origin: step.map(|s| s / 2.0 - 0.5) };
            let values = ramp(rows * cols);
            let labels = labels(height, width, seed);
            let (mut sums, mut areas) = ([0.0f64; 7], [0.0f64; 7]);
            for (y, x) in (0..4 * height).flat_map(|y| (0..4 * width).map(move |x| (y, x))) {
                let region = labels.labels()[y / 4 * width + x / 4];
                if region != VOID {
                    let cell = (y / down).min(rows - 1) * cols + (x / right).min(cols - 1);
                    sums[region as usize] += f64::from(values[cell]);
                    areas[region as usize] += 1.0;
                }
            }
            let block = pool(&labels, &FeatureMap::held("x", grid, 1, values).unwrap()).unwrap();
            for ((value, sum), area) in block.values.iter().zip(sums).zip(areas) {
                prop_assert!((f64::from(*value) - sum / area.max(1.0)).abs() < 1e-5);
            }
        }

        #[test]
        fn cells_equal_the_map_repeated_per_pixel(
            (rows, cols, step, seed) in (1usize..4, 1usize..5, 2usize..6, 0u32..99),
        ) {
            let (height, width) = (rows * step, cols * step);
            let origin = (step as f64 - 1.0) / 2.0;
            let grid = Grid { rows, cols, step: [step as f64; 2], origin: [origin; 2] };
            let values = ramp(rows * cols * 2);
            let cell = |i: usize| (i / width / step) * cols + i % width / step;
            let repeated = (0..height * width * 2).map(|i| values[2 * cell(i / 2) + i % 2]).collect();
            let labels = labels(height, width, seed);
            let coarse = pool(&labels, &FeatureMap::held("x", grid, 2, values).unwrap()).unwrap();
            let fine = FeatureMap::held("x", Grid::pixels(height, width), 2, repeated).unwrap();
            for (a, b) in coarse.values.iter().zip(&pool(&labels, &fine).unwrap().values) {
                prop_assert!((a - b).abs() < 1e-5);
            }
        }
    }
}
