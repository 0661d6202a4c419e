use super::*;
use proptest::prelude::*;
use segcut_core::{ColorSpace, Samples};

/// A gray image from the labels' shades, and its foreground under a cue.
fn cut(map: &LabelMap, shades: &[u8], params: ForegroundParams) -> Vec<u32> {
    let samples = map.labels().iter().map(|&l| shades.get(l as usize).copied().unwrap_or(0)).collect();
    let image = Image::new(map.height(), map.width(), ColorSpace::Gray, Samples::U8(samples)).unwrap();
    let stage = Foreground::new(params.clone()).unwrap();
    let rated = stage.rate_colors(&image, map, map).unwrap();
    let foreground = split(&rated, &map.sizes(), params.threshold);
    map.labels().iter().map(|&l| u32::from(l != VOID && foreground[l as usize])).collect()
}

fn params(cue: Cue, soft: bool) -> ForegroundParams {
    ForegroundParams { cue, soft, ..ForegroundParams::default() }
}

fn object_in_front() -> LabelMap {
    let label = |at: usize| match (at / 20, at % 20) {
        (5..15, 6..14) => 2,
        (_, column) => u32::from(column >= 10),
    };
    LabelMap::new(20, 20, (0..400).map(label).collect()).unwrap()
}

#[test]
fn an_object_off_the_frame_is_the_foreground_by_every_cue() {
    let map = object_in_front();
    let expected: Vec<u32> = map.labels().iter().map(|&l| u32::from(l == 2)).collect();
    for cue in [Cue::BorderShare, Cue::BoundaryConnectivity, Cue::Contrast] {
        for soft in [false, true] {
            assert_eq!(cut(&map, &[100, 110, 220], params(cue, soft)), expected, "{cue:?} {soft}");
        }
    }
}

#[test]
fn connectivity_is_counted_by_hand() {
    let map = LabelMap::new(3, 4, vec![0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 0]).unwrap();
    let image = Image::new(3, 4, ColorSpace::Gray, Samples::U8(vec![7; 12])).unwrap();
    let table = RegionTable::measure(&image, &map).unwrap();
    assert_eq!(boundary_connectivity(&table), [8.0 / 8f64.sqrt(), 2.0 / 2.0]);
    // One color everywhere: every soft region is the whole image.
    let soft = soft_boundary_connectivity(&table, &map, 10.0);
    assert!(soft.iter().all(|value| (value - 10.0 / 12f64.sqrt()).abs() < 1e-9));
}

#[test]
fn neither_class_is_ever_empty() {
    let map = object_in_front();
    for threshold in [-1e9, 1e9] {
        let params = ForegroundParams { threshold: Some(threshold), ..params(Cue::BorderShare, false) };
        let ones = cut(&map, &[100, 110, 220], params).iter().sum::<u32>();
        assert_eq!(ones, if threshold < 0.0 { 80 } else { 240 });
    }
    assert_eq!(split(&[0.3, 0.3, 0.3], &[5, 0, 9], None), [true, false, false]);
}

#[test]
fn bad_parameters_are_refused() {
    for bad in [
        ForegroundParams { sigma_color: 0.0, ..ForegroundParams::default() },
        ForegroundParams { threshold: Some(f64::NAN), ..ForegroundParams::default() },
    ] {
        assert!(matches!(Foreground::new(bad), Err(StageError::Parameter { .. })));
    }
}

proptest! {
    #[test]
    fn both_classes_exist(labels in proptest::collection::vec(0u32..5, 12), shades: [u8; 5]) {
        prop_assume!(labels.iter().any(|&l| l != labels[0]));
        let map = LabelMap::new(3, 4, labels).unwrap();
        for cue in [Cue::BorderShare, Cue::BoundaryConnectivity, Cue::Contrast] {
            for soft in [false, true] {
                let ones = cut(&map, &shades, params(cue, soft)).iter().sum::<u32>();
                prop_assert!((1..12).contains(&ones));
            }
        }
    }
}
