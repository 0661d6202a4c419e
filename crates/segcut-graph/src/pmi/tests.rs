use super::*;
use segcut_core::{Codes, Grid};

const COLORS: usize = 5;

fn codebook() -> ndarray::Array2<f32> {
    ndarray::Array2::from_shape_fn((COLORS, 3), |(i, d)| ((i * 3 + d) * 7 % 11) as f32 * 0.02)
}

/// 24×18 pixels, palette cells of 2×2 pixels, regions of 6×6.
fn scene() -> (LabelMap, FeatureMap<'static>) {
    let labels = (0..24 * 18).map(|i| (i / 18 / 6 * 3 + i % 18 / 6) as u32).collect();
    let codes = (0..12 * 9).map(|i: usize| ((i * i + 3 * i) / 7 % COLORS) as f32).collect();
    let grid = Grid { rows: 12, cols: 9, step: [2.0; 2], origin: [0.5; 2] };
    let map = FeatureMap::held("palette", grid, 1, codes).unwrap().with_codes(Codes::palette(codebook()).unwrap());
    (LabelMap::new(24, 18, labels).unwrap(), map)
}

/// The table by counting every ordered pair of cells and summing the kernel over them.
fn counted_table(map: &FeatureMap<'_>) -> Vec<Vec<f64>> {
    let offsets = [(0, 2), (2, 0), (1, 2), (2, 1), (0, 3), (3, 0), (2, 2), (-2, 2), (-1, 2), (-2, 1)];
    let codes = map.held_values().unwrap();
    let code = |y: i32, x: i32| codes[(y * 9 + x) as usize] as usize;
    let mut pairs = Vec::new();
    for (y, x) in (0..12).flat_map(|y| (0..9).map(move |x| (y, x))) {
        for (dy, dx) in offsets {
            let (v, u) = (y + dy, x + dx);
            if (0..12).contains(&v) && (0..9).contains(&u) {
                pairs.extend([(code(y, x), code(v, u)), (code(v, u), code(y, x))]);
            }
        }
    }
    let book = codebook();
    let kernel = |k: usize, l: usize| {
        let squared: f64 = (0..3).map(|d| f64::from(book[[k, d]] - book[[l, d]]).powi(2)).sum();
        (-squared / (2.0 * 0.03 * 0.03)).exp() / ((2.0 * std::f64::consts::PI).powf(1.5) * 0.03f64.powi(3))
    };
    let count = pairs.len() as f64;
    let alone = |k: usize| pairs.iter().map(|&(a, _)| kernel(k, a)).sum::<f64>() / count;
    let joint = |k: usize, l: usize| pairs.iter().map(|&(a, b)| kernel(k, a) * kernel(l, b)).sum::<f64>() / count;
    let pmi = |k, l| ((100.0 + joint(k, l) / 2.0).powf(1.25) / (100.0 + alone(k) * alone(l))).ln();
    (0..COLORS).map(|k| (0..COLORS).map(|l| pmi(k, l)).collect()).collect()
}

#[test]
fn the_table_is_that_of_direct_counting() {
    let (_, map) = scene();
    let table = pmi_table(&map, &PmiTable::default());
    for (k, row) in counted_table(&map).iter().enumerate() {
        for (l, value) in row.iter().enumerate() {
            assert!((table[[k, l]] - value).abs() < 1e-6, "{k} {l}: {} {value}", table[[k, l]]);
        }
    }
}

#[test]
fn weights_are_means_over_pixel_pairs() {
    let (labels, map) = scene();
    let params = PmiParams { radius: 1.5, ..PmiParams::default() };
    let table = counted_table(&map);
    let codes = map.held_values().unwrap().to_vec();
    let graph = Pmi::new(params).unwrap().build(&labels, &[map], &Context::default()).unwrap();
    let sparse = graph.affinity().sparse().unwrap();
    let pixels = |region: u32| {
        let all = labels.labels().iter().enumerate().filter(move |(_, l)| **l == region);
        all.map(|(i, _)| codes[i / 18 / 2 * 9 + i % 18 / 2] as usize).collect::<Vec<_>>()
    };
    let information = |&[u, v]: &[u32; 2]| {
        let (a, b) = (pixels(u), pixels(v));
        let sum: f64 = a.iter().flat_map(|&k| b.iter().map(move |&l| (k, l))).map(|(k, l)| table[k][l]).sum();
        sum / (a.len() * b.len()) as f64
    };
    let all: Vec<f64> = sparse.edges().iter().map(information).collect();
    let mut sorted = all.clone();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted[(all.len() - 1) / 2];
    let place = graph.geometry().unwrap();
    for ((&[u, v], e), weight) in sparse.edges().iter().zip(&all).zip(sparse.weights()) {
        let [a, b] = [u, v].map(|n| place.centroid[n as usize]);
        let squared = (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2);
        let expected = (2.0 * (e - middle)).exp() * (-squared / (2.0 * 81.0)).exp();
        assert!((weight / expected - 1.0).abs() < 1e-4, "{u} {v}: {weight} {expected}");
    }
    // Side 6, so radius 9: beside the touching ones, the diagonal neighbours at 8.5.
    let border = graph.edge_columns().border_length.as_ref().unwrap();
    assert_eq!(border.iter().filter(|&&length| length > 0.0).count(), 17);
    assert_eq!(border.iter().filter(|&&length| length == 0.0).count(), 12);
}

#[test]
fn a_graph_without_a_palette_is_refused() {
    let (labels, _) = scene();
    let gray = FeatureMap::held("gray", Grid::pixels(24, 18), 1, vec![0.0; 24 * 18]).unwrap();
    let pmi = Pmi::new(PmiParams::default()).unwrap();
    let error = pmi.build(&labels, &[gray], &Context::default()).unwrap_err().to_string();
    assert_eq!(error, "none of the feature maps [\"gray\"] is a palette");
}

#[test]
fn one_color_gives_equal_weights_and_one_region_none() {
    let map = || {
        let map = FeatureMap::held("palette", Grid::pixels(1, 4), 1, vec![0.0; 4]).unwrap();
        map.with_codes(Codes::palette(ndarray::Array2::zeros((1, 3))).unwrap())
    };
    let pmi = Pmi::new(PmiParams { decay: 0.0, ..PmiParams::default() }).unwrap();
    let build = |labels| pmi.build(&LabelMap::new(1, 4, labels).unwrap(), &[map()], &Context::default()).unwrap();
    assert_eq!(build(vec![0, 1, 2, 3]).affinity().sparse().unwrap().weights(), [1.0; 6]);
    assert!(build(vec![0; 4]).affinity().sparse().unwrap().edges().is_empty());
}

#[test]
fn bad_parameters_are_named() {
    let refused = |params: PmiParams| Pmi::new(params).unwrap_err().to_string();
    let base = PmiParams::default;
    assert!(refused(PmiParams { connectivity: 6, ..base() }).starts_with("graph.connectivity = 6"));
    assert!(refused(PmiParams { radius: -1.0, ..base() }).starts_with("graph.radius = -1"));
    assert!(refused(PmiParams { decay: f64::NAN, ..base() }).starts_with("graph.decay = NaN"));
    let table = PmiTable { bandwidth: 0.0, ..PmiTable::default() };
    assert!(refused(PmiParams { table, ..base() }).starts_with("table.bandwidth = 0"));
}

#[test]
fn a_grid_has_the_weights_of_the_counted_table() {
    let (_, map) = scene();
    let table = counted_table(&map);
    let codes = map.held_values().unwrap().to_vec();
    let twice = [map, scene().1];
    let grid = pmi_grid(&twice, &PmiTable::default(), 2.5).unwrap().sparse().unwrap();
    let information = |&[a, b]: &[u32; 2]| 2.0 * table[codes[a as usize] as usize][codes[b as usize] as usize];
    let first = grid.weights()[0].ln() - information(&grid.edges()[0]);
    assert!(grid.edges().len() > 800 && grid.weights().iter().all(|&w| w <= 1.0));
    for (edge, weight) in grid.edges().iter().zip(grid.weights()) {
        assert!((weight.ln() - information(edge) - first).abs() < 1e-4);
    }
}

#[test]
fn a_grid_needs_palettes_on_one_grid() {
    let plain = FeatureMap::held("color", Grid::pixels(2, 2), 1, vec![0.0; 4]).unwrap();
    assert!(matches!(pmi_grid(&[], &PmiTable::default(), 1.0), Err(RagError::NoPalette { .. })));
    assert!(
        matches!(pmi_grid(&[scene().1, plain], &PmiTable::default(), 1.0), Err(RagError::NoPalette { maps }) if maps.len() == 2)
    );
}
