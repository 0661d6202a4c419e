//! The stages through their trait.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use segcut_core::{
    Affinity, Clustering, ColorSpace, Context, Evidence, Image, LabelMap, Partition, Refiner, RegionGraph, Samples,
    SparseAffinity, StageError, VOID,
};
use segcut_refine::{
    Components, ComponentsParams, Connectivity, Foreground, ForegroundParams, MergeSmall, MergeSmallParams, MergeTo,
    Morphology, MorphologyParams, connected_components,
};

fn refine(stage: &dyn Refiner, image: &Image, labels: &LabelMap) -> Result<LabelMap, StageError> {
    let affinity = SparseAffinity::new(labels.n(), Vec::new(), Vec::new()).unwrap();
    let (graph, clustering) =
        (RegionGraph::new(Affinity::Sparse(affinity)), Clustering::converged(Partition::singletons(labels.n())));
    let evidence = Evidence { image, superpixels: labels, graph: &graph, clustering: &clustering, attention: None };
    stage.refine(&evidence, labels.clone(), &Context::default())
}

fn gray(map: &LabelMap, shade: impl Fn(u32) -> u8) -> Image {
    let samples = map.labels().iter().map(|&l| shade(l)).collect();
    Image::new(map.height(), map.width(), ColorSpace::Gray, Samples::U8(samples)).unwrap()
}

fn merge(min_size: usize, min_share: f64, to: MergeTo) -> MergeSmall {
    MergeSmall::new(MergeSmallParams { min_size, min_share, to }).unwrap()
}

#[test]
fn a_small_region_goes_by_color_or_by_border() {
    // Region 1 has two pairs with region 0 (dark) and one with region 2, whose shade it nearly has.
    let map = LabelMap::new(2, 4, vec![0, 0, 0, 2, 0, 0, 1, 2]).unwrap();
    let image = gray(&map, |l| [0, 190, 200][l as usize]);
    let by = |to| refine(&merge(2, 0.0, to), &image, &map).unwrap();
    assert_eq!(by(MergeTo::Color).labels(), [0, 0, 0, 1, 0, 0, 1, 1]);
    assert_eq!(by(MergeTo::Border).labels(), [0, 0, 0, 1, 0, 0, 0, 1]);
}

#[test]
fn regions_without_neighbours_stay() {
    let map = LabelMap::new(1, 5, vec![3, VOID, 0, 0, 1]).unwrap();
    let image = gray(&map, |_| 0);
    let merged = refine(&merge(9, 0.0, MergeTo::Color), &image, &map).unwrap();
    assert_eq!((merged.labels(), merged.n()), (&[1, VOID, 0, 0, 0][..], 2));
}

#[test]
fn shares_outside_0_to_1_are_refused() {
    for min_share in [-0.1, 1.1, f64::NAN] {
        let params = MergeSmallParams { min_share, ..MergeSmallParams::default() };
        assert!(matches!(MergeSmall::new(params), Err(StageError::Parameter { name: "refine.min_share", .. })));
    }
}

#[test]
fn sizes_that_differ_are_an_error() {
    let map = LabelMap::new(1, 2, vec![0, 1]).unwrap();
    let image = Image::new(2, 1, ColorSpace::Gray, Samples::U8(vec![0, 1])).unwrap();
    for stage in [&merge(1, 0.0, MergeTo::Color) as &dyn Refiner, &Foreground::new(Default::default()).unwrap()] {
        assert!(matches!(refine(stage, &image, &map), Err(StageError::Data(_))));
    }
}

#[test]
fn the_foreground_of_one_region_is_chosen_among_the_superpixels() {
    let superpixels = LabelMap::new(3, 3, vec![0, 0, 0, 0, 1, 0, 0, 0, VOID]).unwrap();
    let labels = superpixels.clone().map_pixels(1, |_, _| 0);
    let image = gray(&superpixels, |l| if l == 1 { 255 } else { 0 });
    let clustering = Clustering::converged(Partition::whole(2));
    let graph = RegionGraph::new(Affinity::Sparse(SparseAffinity::new(2, Vec::new(), Vec::new()).unwrap()));
    let evidence =
        Evidence { image: &image, superpixels: &superpixels, graph: &graph, clustering: &clustering, attention: None };
    let stage = Foreground::new(ForegroundParams::default()).unwrap();
    let mask = stage.refine(&evidence, labels.clone(), &Context::default()).unwrap();
    assert_eq!(mask.labels(), [0, 0, 0, 0, 1, 0, 0, 0, VOID]);
    let evidence = Evidence { superpixels: &labels, ..evidence };
    let mask = stage.refine(&evidence, labels.clone(), &Context::default()).unwrap();
    assert_eq!(mask, labels, "nothing to choose from: all is background");
}

fn any_map() -> impl Strategy<Value = LabelMap> {
    (1usize..14, proptest::collection::vec(0u32..7, 14..160)).prop_map(|(width, cells)| {
        let height = cells.len() / width;
        let labels = cells[..height * width].iter().map(|&c| if c == 6 { VOID } else { c }).collect();
        LabelMap::with_n(height, width, labels, 6).unwrap()
    })
}

fn stages() -> Vec<(&'static str, Box<dyn Refiner>)> {
    let kept = ComponentsParams { keep_background: true, connectivity: Connectivity::Eight };
    vec![
        ("components", Box::new(Components::new(ComponentsParams::default()).unwrap())),
        ("components, background kept", Box::new(Components::new(kept).unwrap())),
        ("merge", Box::new(merge(4, 0.0, MergeTo::Border))),
        ("majority", Box::new(Morphology::new(MorphologyParams::default()).unwrap())),
        ("foreground", Box::new(Foreground::new(ForegroundParams { soft: true, ..Default::default() }).unwrap())),
    ]
}

proptest! {
    #[test]
    fn void_stays_and_labels_are_below_n(map in any_map()) {
        let image = gray(&map, |l| (l % 251) as u8);
        for (name, stage) in stages() {
            let out = refine(stage.as_ref(), &image, &map).unwrap();
            for (&old, &new) in map.labels().iter().zip(out.labels()) {
                prop_assert_eq!(old == VOID, new == VOID, "{}", name);
                prop_assert!(new == VOID || (new as usize) < out.n(), "{}", name);
            }
        }
    }

    #[test]
    fn merging_leaves_no_small_region_with_a_neighbour(map in any_map(), min_size in 1usize..30, by_color: bool) {
        let to = if by_color { MergeTo::Color } else { MergeTo::Border };
        let image = gray(&map, |l| (l.wrapping_mul(37) % 251) as u8);
        let pieces = connected_components(map, Connectivity::Four);
        let merged = refine(&merge(min_size, 0.0, to), &image, &pieces).unwrap();
        prop_assert_eq!(&refine(&merge(min_size, 0.0, to), &image, &merged).unwrap(), &merged);
        prop_assert_eq!(connected_components(merged.clone(), Connectivity::Four).n(), merged.n());
        let (sizes, labels, width) = (merged.sizes(), merged.labels(), merged.width());
        for at in 0..labels.len() {
            for to in [(at % width + 1 < width).then_some(at + 1), Some(at + width)].into_iter().flatten() {
                let pair = (labels[at], labels.get(to).copied().unwrap_or(VOID));
                if pair.0 != pair.1 && pair.0 != VOID && pair.1 != VOID {
                    prop_assert!(sizes[pair.0 as usize].min(sizes[pair.1 as usize]) >= min_size);
                }
            }
        }
    }
}
