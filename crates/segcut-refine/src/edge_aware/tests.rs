use super::*;
use proptest::prelude::*;
use segcut_core::{
    Affinity, Clustering, ColorSpace, Context, Evidence, Partition, Refiner, RegionGraph, Samples, SparseAffinity,
};

fn stages(overlap: f64) -> [Box<dyn Refiner>; 3] {
    [
        Box::new(BilateralSolver::new(BilateralSolverParams { overlap, ..Default::default() }).unwrap()),
        Box::new(Guided::new(GuidedParams { radius: 4, overlap, ..Default::default() }).unwrap()),
        Box::new(DenseCrf::new(DenseCrfParams { overlap, ..Default::default() }).unwrap()),
    ]
}

fn refined(stage: &dyn Refiner, image: &Image, labels: &LabelMap) -> Result<LabelMap, StageError> {
    let graph = RegionGraph::new(Affinity::Sparse(SparseAffinity::new(labels.n(), vec![], vec![]).unwrap()));
    let clustering = Clustering::converged(Partition::singletons(labels.n()));
    let evidence = Evidence { image, superpixels: labels, graph: &graph, clustering: &clustering, attention: None };
    stage.refine(&evidence, labels.clone(), &Context::default())
}

fn rgb(height: usize, width: usize, color: impl Fn(usize) -> [u8; 3]) -> Image {
    let samples = (0..height * width).flat_map(color).collect();
    Image::new(height, width, ColorSpace::Srgb, Samples::U8(samples)).unwrap()
}

fn map(height: usize, width: usize, label: impl Fn(usize, usize) -> u32) -> LabelMap {
    LabelMap::new(height, width, (0..height * width).map(|at| label(at / width, at % width)).collect()).unwrap()
}

/// A disc on another color, with some grain.
fn disc(y: usize, x: usize) -> bool {
    (y as i32 - 20).pow(2) + (x as i32 - 22).pow(2) < 144
}

fn disc_image() -> Image {
    rgb(40, 44, |at| {
        let grain = (at * 7919 % 13) as u8;
        if disc(at / 44, at % 44) { [190 + grain, 60, 40] } else { [40 + grain, 90, 150] }
    })
}

#[test]
fn a_coarse_mask_takes_the_outline_of_the_disc() {
    let truth = map(40, 44, |y, x| u32::from(disc(y, x)));
    // Cells of 8×8 pixels.
    let coarse = map(40, 44, |y, x| u32::from(disc(y / 8 * 8 + 4, x / 8 * 8 + 4)));
    let wrong = |found: &LabelMap| found.labels().iter().zip(truth.labels()).filter(|(a, b)| a != b).count();
    let before = wrong(&coarse);
    for stage in stages(0.5) {
        let found = refined(&*stage, &disc_image(), &coarse).unwrap();
        assert!(wrong(&found) * 3 < before, "{} of {before}", wrong(&found));
    }
}

#[test]
fn more_labels_and_void_keep_their_names() {
    let coarse = map(40, 44, |y, x| match (disc(y / 4 * 4 + 2, x / 4 * 4 + 2), x) {
        (_, 0) => VOID,
        (true, _) => 5,
        (false, 22..) => 2,
        _ => 0,
    });
    let image = rgb(40, 44, |at| match (disc(at / 44, at % 44), at % 44) {
        (true, _) => [200, 50, 40],
        (false, 22..) => [40, 160, 60],
        _ => [30, 30, 140],
    });
    for stage in stages(0.5) {
        let found = refined(&*stage, &image, &coarse).unwrap();
        let right = |&(at, &label): &(usize, &u32)| {
            let (y, x) = (at / 44, at % 44);
            let expected = if disc(y, x) { 5 } else { 2 * u32::from(x >= 22) };
            if x == 0 { label == VOID } else { label == expected }
        };
        let wrong = found.labels().iter().enumerate().filter(|pixel| !right(pixel)).count();
        assert!(wrong < 20, "{wrong}");
    }
}

#[test]
fn a_label_that_would_be_lost_keeps_all_as_they_are() {
    // One pixel on an even image: smoothness would take it.
    let labels = map(24, 24, |y, x| u32::from((y, x) == (12, 12)));
    let plain = rgb(24, 24, |_| [90, 90, 90]);
    for stage in stages(0.5) {
        assert_eq!(refined(&*stage, &plain, &labels).unwrap(), labels);
    }
    let lost = stages(0.0).map(|stage| refined(&*stage, &plain, &labels).unwrap().labels().contains(&1));
    assert_eq!(lost, [false, false, false]);
}

#[test]
fn data_that_do_not_fit_are_told() {
    let image = rgb(2, 2, |_| [0; 3]);
    let wide = map(2, 3, |_, x| x as u32);
    let many = rgb(1, 300, |_| [0; 3]);
    let names = map(1, 300, |_, x| x as u32);
    for stage in stages(0.5) {
        assert!(refined(&*stage, &image, &wide).unwrap_err().to_string().contains("do not fit"));
        assert!(refined(&*stage, &many, &names).unwrap_err().to_string().contains("300 labels"));
    }
}

#[test]
fn bad_parameters_are_refused() {
    let solver = BilateralSolverParams::default();
    for bad in [
        BilateralSolverParams { sigma_space: 0.0, ..solver.clone() },
        BilateralSolverParams { confidence: 0.0, ..solver.clone() },
        BilateralSolverParams { smoothness: f64::NAN, ..solver.clone() },
        BilateralSolverParams { iterations: 0, ..solver },
    ] {
        assert!(matches!(BilateralSolver::new(bad), Err(StageError::Parameter { .. })));
    }
    let crf = DenseCrfParams::default();
    for bad in [
        DenseCrfParams { certainty: 1.0, ..crf.clone() },
        DenseCrfParams { sigma_smooth: -1.0, ..crf.clone() },
        DenseCrfParams { overlap: 1.5, ..crf },
    ] {
        assert!(matches!(DenseCrf::new(bad), Err(StageError::Parameter { .. })));
    }
    assert!(Guided::new(GuidedParams { radius: 0, ..Default::default() }).is_err());
    assert!(Guided::new(GuidedParams { epsilon: 0.0, ..Default::default() }).is_err());
}

#[test]
fn the_solver_solves_its_system() {
    use super::bilateral_grid::BilateralGrid;
    let cells =
        [[0i16, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 1, 0, 0, 0], [1, 1, 0, 0, 0], [1, 1, 2, 0, 0], [9, 9, 9, 9, 9]];
    let grid = BilateralGrid::new(cells.iter().copied().map(Some), 50);
    let n = grid.len();
    assert_eq!(n, 5);
    // B by its definition: 2 per axis on the diagonal, 1 between cells that differ by 1 in one axis.
    let unique = [cells[0], cells[2], cells[3], cells[4], cells[5]];
    let blur = |i: usize, j: usize| {
        let apart: i32 = unique[i].iter().zip(unique[j]).map(|(a, b)| i32::from(a - b).abs()).sum();
        [10.0, 1.0].get(apart as usize).copied().unwrap_or(0.0)
    };
    let column = |j: usize| grid.roughness(&(0..n).map(|i| f64::from(u8::from(i == j))).collect::<Vec<_>>());
    let matrix: Vec<Vec<f64>> = (0..n).map(column).collect();
    for (i, row) in matrix.iter().enumerate() {
        assert!(row.iter().sum::<f64>().abs() < 1e-9, "constants are smooth");
        assert!((grid.diagonal()[i] - row[i]).abs() < 1e-9);
        for (j, &entry) in row.iter().enumerate() {
            assert!((matrix[j][i] - entry).abs() < 1e-9);
            assert_eq!(i != j && blur(i, j) > 0.0, entry < 0.0);
        }
    }
    // After enough rounds D_n·B·D_n has the cells' pixels as its row sums.
    let scale: Vec<f64> = (0..n).map(|i| ((f64::from([2, 1, 1, 1, 1][i]) - matrix[i][i]) / 10.0).sqrt()).collect();
    for i in 0..n {
        let row: f64 = (0..n).map(|j| scale[i] * blur(i, j) * scale[j]).sum();
        assert!((row - f64::from([2, 1, 1, 1, 1][i])).abs() < 1e-4, "{row}");
    }
}

/// Mean field by sums over all pairs.
fn plain_mean_field(image: &Image, labels: &LabelMap, params: &DenseCrfParams) -> Vec<u32> {
    let (n, width) = (labels.labels().len(), labels.width());
    let colors = crate::colors::colors(image);
    let place = |at: usize| [(at / width) as f64, (at % width) as f64];
    let squared = |i: usize, j: usize| (0..2).map(|k| (place(i)[k] - place(j)[k]).powi(2)).sum::<f64>();
    let alike = |i: usize, j: usize| {
        let c = (0..3).map(|k| f64::from(colors[3 * i + k] - colors[3 * j + k]).powi(2)).sum::<f64>();
        (-squared(i, j) / (2.0 * params.sigma_space.powi(2)) - c / (2.0 * params.sigma_color.powi(2))).exp()
    };
    let sums: Vec<f64> = (0..n).map(|i| (0..n).map(|j| alike(i, j)).sum::<f64>()).collect();
    let near = |i: usize, j: usize| (-squared(i, j) / (2.0 * params.sigma_smooth.powi(2))).exp();
    let near_sums: Vec<f64> = (0..n).map(|i| (0..n).map(|j| near(i, j)).sum::<f64>()).collect();
    let own =
        |i: usize| (params.certainty / (1.0 - params.certainty)).ln() * if labels.labels()[i] > 0 { 1.0 } else { -1.0 };
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let mut inside: Vec<f64> = (0..n).map(|i| sigmoid(own(i))).collect();
    for _ in 0..params.iterations {
        let message = |i: usize| -> f64 {
            let kernel = |j: usize| {
                params.appearance * alike(i, j) / (sums[i] * sums[j]).sqrt()
                    + params.smoothness * near(i, j) / near_sums[i]
            };
            (0..n).map(|j| kernel(j) * (2.0 * inside[j] - 1.0)).sum()
        };
        inside = (0..n).map(|i| sigmoid(own(i) + message(i))).collect();
    }
    inside.into_iter().map(|p| u32::from(p > 0.5)).collect()
}

#[test]
fn the_random_field_agrees_with_sums_over_all_pairs() {
    let image = disc_image();
    let coarse = map(40, 44, |y, x| u32::from(disc(y / 8 * 8 + 4, x / 8 * 8 + 4)));
    let params = DenseCrfParams { sigma_space: 12.0, appearance: 3.0, smoothness: 1.0, ..Default::default() };
    let expected = plain_mean_field(&image, &coarse, &params);
    let found = refined(&DenseCrf::new(params).unwrap(), &image, &coarse).unwrap();
    let differ = found.labels().iter().zip(&expected).filter(|(a, b)| a != b).count();
    let moved = coarse.labels().iter().zip(&expected).filter(|(a, b)| a != b).count();
    assert!(moved > 50 && differ * 20 < moved, "{differ} of {moved}");
}

proptest! {
    #[test]
    fn any_labels_on_any_image(
        height in 1usize..6, width in 1usize..6,
        shades in prop::collection::vec(any::<[u8; 3]>(), 36), labels in prop::collection::vec(0u32..4, 36),
    ) {
        let image = rgb(height, width, |at| shades[at]);
        let labels = map(height, width, |y, x| [0, 1, 2, VOID][labels[y * width + x] as usize]);
        for stage in stages(0.5) {
            let found = refined(&*stage, &image, &labels).unwrap();
            prop_assert_eq!(found.n(), labels.n());
            prop_assert!(found.labels().iter().zip(labels.labels()).all(|(a, b)| (*a == VOID) == (*b == VOID)));
        }
    }
}
