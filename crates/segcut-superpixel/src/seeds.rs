//! Where centres start.

use segcut_core::{Image, Mask};

/// Start positions (row, column), and the steps between them.
pub(crate) struct Seeds {
    pub(crate) at: Vec<[f64; 2]>,
    /// Rows and columns from one to the next, on average.
    pub(crate) step: [f64; 2],
}

/// As many seeds on the whole frame as give n on the valid part.
pub(crate) fn on_frame(image: &Image, n: usize) -> usize {
    let valid = image.valid().map_or(image.pixels(), |mask| mask.count());
    (n as u128 * image.pixels() as u128 / valid as u128) as usize
}

/// Seeds that lie inside the mask; at least one.
pub(crate) fn within(mut seeds: Seeds, size: [usize; 2], mask: Option<&Mask>) -> Seeds {
    let Some(mask) = mask else { return seeds };
    seeds.at.retain(|at| mask.bits()[pixel(*at, size)]);
    if let (true, Some(first)) = (seeds.at.is_empty(), mask.bits().iter().position(|&b| b)) {
        seeds.at.push([(first / size[1]) as f64, (first % size[1]) as f64]);
    }
    seeds
}

pub(crate) fn pixel(at: [f64; 2], size: [usize; 2]) -> usize {
    let index = |axis: usize| (at[axis].round().max(0.0) as usize).min(size[axis] - 1);
    index(0) * size[1] + index(1)
}

/// Exactly n seeds in rows; the numbers per row differ by one at most.
pub(crate) fn even(size: [usize; 2], n: usize) -> Seeds {
    let [height, width] = size.map(|s| s as f64);
    let rows = ((n as f64 * height / width).sqrt().round() as usize).clamp(1, n.min(size[0]).max(1));
    let mut at = Vec::with_capacity(n);
    for row in 0..rows {
        let columns = n * (row + 1) / rows - n * row / rows;
        let y = (row as f64 + 0.5) * height / rows as f64 - 0.5;
        at.extend((0..columns).map(|column| [y, (column as f64 + 0.5) * width / columns as f64 - 0.5]));
    }
    Seeds { at, step: [height / rows as f64, width * rows as f64 / n as f64] }
}

/// Seeds on whole steps, as scikit-image's `regular_grid` lays them for two axes.
pub(crate) fn lattice(size: [usize; 2], n: usize) -> Seeds {
    let pixels = (size[0] * size[1]) as f64;
    let step = (pixels / n as f64).sqrt();
    let (short, long) = if size[0] <= size[1] { (0, 1) } else { (1, 0) };
    let mut steps = [step; 2];
    if step > size[short] as f64 {
        steps[short] = size[short] as f64;
        steps[long] = size[long] as f64 / n as f64;
    }
    let start = steps.map(|s| (s / 2.0).floor() as usize);
    let whole = steps.map(|s| (s.round_ties_even() as usize).max(1));
    let axis = |a: usize| (start[a]..size[a]).step_by(whole[a]);
    let at = axis(0).flat_map(|y| axis(1).map(move |x| [y as f64, x as f64])).collect();
    Seeds { at, step: whole.map(|s| s as f64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_seeds_are_exactly_as_many_as_asked() {
        for (size, n) in [([321, 481], 400), ([481, 321], 7), ([1, 50], 9), ([50, 1], 9), ([3, 3], 1), ([2, 90], 100)] {
            let seeds = even(size, n);
            assert_eq!(seeds.at.len(), n);
            for at in seeds.at {
                assert!(pixel(at, size) < size[0] * size[1]);
            }
        }
    }

    #[test]
    fn the_lattice_is_scikit_images() {
        // skimage.util.regular_grid((321, 481), 400): slices (9, None, 20) on both axes.
        let seeds = lattice([321, 481], 400);
        assert_eq!((seeds.at[0], seeds.step, seeds.at.len()), ([9.0, 9.0], [20.0; 2], 16 * 24));
    }
}
