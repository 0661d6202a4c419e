//! Descriptors → descriptors with their surroundings (log-binning).

/// Levels of surroundings: single patches, then 3×3 means.
const LEVELS: usize = 2;

/// Each patch's descriptor, its 8 neighbours, and the means of the 8 blocks of 3×3 around it.
///
/// Amir et al. 2021, "Deep ViT Features as Dense Visual Descriptors", as DeepCut uses it: 17 times the
/// dimensions. Means count only patches inside the grid; what lies outside is the nearest inside.
pub(crate) fn log_bin(patches: &[f32], [rows, cols]: [usize; 2]) -> Vec<f32> {
    let dim = patches.len() / (rows * cols).max(1);
    let means = block_means(patches, [rows, cols], dim);
    let levels = [patches, &means];
    let mut out = Vec::with_capacity(patches.len() * 17);
    for row in 0..rows as isize {
        for col in 0..cols as isize {
            for (level, values) in levels.iter().enumerate().take(LEVELS) {
                let reach = 3isize.pow(level as u32);
                for (y, x) in offsets(reach, level > 0) {
                    let at = |i: isize, n: usize| i.clamp(0, n as isize - 1) as usize;
                    let cell = at(row + y, rows) * cols + at(col + x, cols);
                    out.extend_from_slice(&values[cell * dim..][..dim]);
                }
            }
        }
    }
    out
}

/// The nine places around a patch, without its own where it was taken before.
fn offsets(reach: isize, without_centre: bool) -> impl Iterator<Item = (isize, isize)> {
    let steps = move || [-reach, 0, reach].into_iter();
    steps().flat_map(move |y| steps().map(move |x| (y, x))).filter(move |&at| !(without_centre && at == (0, 0)))
}

/// Means over the 3×3 patches around each, as many of them as lie inside.
fn block_means(patches: &[f32], [rows, cols]: [usize; 2], dim: usize) -> Vec<f32> {
    let mut means = vec![0.0; patches.len()];
    for (cell, mean) in means.chunks_exact_mut(dim.max(1)).enumerate() {
        let (row, col) = (cell / cols, cell % cols);
        let (top, left) = (row.saturating_sub(1), col.saturating_sub(1));
        let (bottom, right) = ((row + 2).min(rows), (col + 2).min(cols));
        for y in top..bottom {
            for x in left..right {
                let patch = &patches[(y * cols + x) * dim..][..dim];
                mean.iter_mut().zip(patch).for_each(|(m, p)| *m += p);
            }
        }
        let count = ((bottom - top) * (right - left)) as f32;
        mean.iter_mut().for_each(|m| *m /= count);
    }
    means
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_patch_repeats_itself() {
        assert_eq!(log_bin(&[3.0, 4.0], [1, 1]), [3.0, 4.0].repeat(17));
    }

    #[test]
    fn neighbours_come_first_then_means_of_blocks() {
        let patches: Vec<f32> = (0..9).map(|i| i as f32).collect();
        let out = log_bin(&patches, [3, 3]);
        let centre = &out[4 * 17..5 * 17];
        assert_eq!(centre[..9], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        // three patches away is clamped to the frame: means of the corners' and sides' 2×2 and 2×3 blocks
        assert_eq!(centre[9..], [2.0, 2.5, 3.0, 3.5, 4.5, 5.0, 5.5, 6.0]);
    }
}
