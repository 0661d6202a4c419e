//! Map of codes → histograms per region.

use crate::RagError;
use crate::pool::check_size;
use segcut_core::{Codes, FeatureBlock, FeatureMap, Grid, LabelMap, VOID};

/// The share of each region's pixels in every bin, blurred along the bins where the codes say so.
///
/// # Cost
/// O(H·W·dims) additions; rows of the map are read one by one.
pub(crate) fn histograms(labels: &LabelMap, map: &FeatureMap<'_>, codes: &Codes) -> Result<FeatureBlock, RagError> {
    if map.grid().is_pixels() {
        check_size(labels, map)?;
    }
    let bins = codes.bins().to_vec();
    let dims = bins.iter().sum();
    let counts = counts(labels, map, &bins, dims);
    let mut values = shares(&counts, labels.n(), &bins, dims);
    let mut first = 0;
    for (&count, &sigma) in bins.iter().zip(codes.smoothing()) {
        if sigma > 0.0 {
            blur_columns(&mut values, dims, first..first + count, sigma);
        }
        first += count;
    }
    Ok(FeatureBlock { name: map.name().to_owned(), dims, values, bins })
}

/// n×dims pixel counts.
fn counts(labels: &LabelMap, map: &FeatureMap<'_>, bins: &[usize], dims: usize) -> Vec<u32> {
    let Grid { rows, cols, step, origin } = *map.grid();
    let mut counts = vec![0; labels.n() * dims];
    if rows == 0 || cols == 0 {
        return counts;
    }
    let nearest = |pixel: usize, axis: usize, cells: usize| {
        (((pixel as f64 - origin[axis]) / step[axis]).round().max(0.0) as usize).min(cells - 1)
    };
    let column: Vec<usize> = (0..labels.width()).map(|x| nearest(x, 1, cols)).collect();
    let mut line = vec![0.0; cols * bins.len()];
    let mut bin_line = vec![0; cols * bins.len()];
    let mut held = usize::MAX;
    for (y, regions) in labels.labels().chunks_exact(labels.width().max(1)).enumerate() {
        let row = nearest(y, 0, rows);
        if row != held {
            map.read_rows(row..row + 1, &mut line);
            place_codes(&line, bins, &mut bin_line);
            held = row;
        }
        for (&region, &cell) in regions.iter().zip(&column).filter(|(region, _)| **region != VOID) {
            let own = &mut counts[region as usize * dims..][..dims];
            for &bin in &bin_line[cell * bins.len()..(cell + 1) * bins.len()] {
                own[bin] += 1;
            }
        }
    }
    counts
}

/// Codes → columns of the block; a code beyond its bins counts in the last one.
fn place_codes(line: &[f32], bins: &[usize], out: &mut [usize]) {
    for (cell, out) in line.chunks_exact(bins.len()).zip(out.chunks_exact_mut(bins.len())) {
        let mut first = 0;
        for ((&code, &count), out) in cell.iter().zip(bins).zip(out) {
            *out = first + (code as usize).min(count - 1);
            first += count;
        }
    }
}

fn shares(counts: &[u32], n: usize, bins: &[usize], dims: usize) -> Vec<f32> {
    let mut values = Vec::with_capacity(n * dims);
    for own in counts.chunks_exact(dims) {
        let size: u32 = own[..bins[0]].iter().sum();
        values.extend(own.iter().map(|&count| count as f32 / size.max(1) as f32));
    }
    values
}

/// Gaussian along some columns of every row, 2.5 sigma to either side, ends repeated.
fn blur_columns(values: &mut [f32], dims: usize, columns: std::ops::Range<usize>, sigma: f64) {
    let reach = (2.5 * sigma).ceil() as isize;
    let tap = |t: isize| (-0.5 * (t as f64 / sigma).powi(2)).exp();
    let total: f64 = (-reach..=reach).map(tap).sum();
    let count = columns.len();
    // mix[to·count + from]: what column `from` gives to column `to`
    let mut mix = vec![0.0f32; count * count];
    for to in 0..count as isize {
        for t in -reach..=reach {
            let from = (to + t).clamp(0, count as isize - 1);
            mix[(to * count as isize + from) as usize] += (tap(t) / total) as f32;
        }
    }
    let near = |to: usize| to.saturating_sub(reach as usize)..(to + reach as usize + 1).min(count);
    let mut row = vec![0.0; count];
    for own in values.chunks_exact_mut(dims) {
        row.copy_from_slice(&own[columns.clone()]);
        for (to, out) in own[columns.clone()].iter_mut().enumerate() {
            let from = near(to);
            let taps = &mix[to * count..][from.clone()];
            *out = row[from].iter().zip(taps).map(|(a, b)| a * b).sum();
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::pool;
    use segcut_core::{Codes, FeatureMap, Grid, LabelMap, VOID};

    #[test]
    fn shares_of_two_dimensions() {
        let labels = LabelMap::with_n(1, 5, vec![0, 0, 1, VOID, 1], 3).unwrap();
        let values = vec![0.0, 1.0, 2.0, 1.0, 1.0, 0.0, 2.0, 0.0, 1.0, 9.0];
        let map = FeatureMap::held("h", Grid::pixels(1, 5), 2, values).unwrap();
        let block = pool(&labels, &map.with_codes(Codes::new(vec![3, 2]).unwrap())).unwrap();
        assert_eq!((block.dims, &block.bins[..]), (5, &[3, 2][..]));
        assert_eq!(block.row(0), [0.5, 0.0, 0.5, 0.0, 1.0]);
        assert_eq!(block.row(1), [0.0, 1.0, 0.0, 0.5, 0.5]);
        assert_eq!(block.row(2), [0.0; 5]);
    }

    #[test]
    fn a_pixel_has_the_code_of_the_nearest_cell() {
        let labels = LabelMap::new(2, 5, vec![0, 0, 0, 1, 1, 0, 0, 0, 1, 1]).unwrap();
        let grid = Grid { rows: 1, cols: 3, step: [2.0; 2], origin: [0.5; 2] };
        let map = FeatureMap::held("h", grid, 1, vec![0.0, 1.0, 2.0]).unwrap();
        let block = pool(&labels, &map.with_codes(Codes::new(vec![3]).unwrap())).unwrap();
        assert_eq!(block.values, [2.0 / 3.0, 1.0 / 3.0, 0.0, 0.0, 0.5, 0.5]);
    }

    #[test]
    fn a_blur_keeps_a_flat_histogram_and_spreads_a_peak() {
        let labels = LabelMap::new(1, 10, vec![0, 0, 0, 0, 0, 1, 1, 1, 1, 1]).unwrap();
        let codes: Vec<f32> = (0..5).map(|i| i as f32).chain([2.0; 5]).collect();
        let map = FeatureMap::held("h", Grid::pixels(1, 10), 1, codes).unwrap();
        let codes = Codes::new(vec![5]).unwrap().with_smoothing(vec![0.6]).unwrap();
        let block = pool(&labels, &map.with_codes(codes)).unwrap();
        assert!(block.row(0).iter().all(|v| (v - 0.2).abs() < 1e-6));
        // taps exp(−t² / 0.72) for t = 0, 1, 2
        let taps = [1.0f32, (-1.0f32 / 0.72).exp(), (-4.0f32 / 0.72).exp()];
        let total = taps[0] + 2.0 * (taps[1] + taps[2]);
        let expected = [taps[2], taps[1], taps[0], taps[1], taps[2]].map(|t| t / total);
        assert!(block.row(1).iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6));
    }
}
