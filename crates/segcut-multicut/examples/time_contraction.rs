//! Times greedy contraction, for `tests/peers/deepcut`: `time_contraction [GRAPH.mtx…]`, region graphs as
//! `segcut segment --save affinity` writes them, each weight less a third of the largest.
//!
//! Prints nodes, edges, clusters and the least milliseconds of 20 runs, per file and for a drawn grid of 153,664 pixels.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout)]

use segcut_multicut::edge_contraction;
use std::time::Instant;

struct Signed {
    n: usize,
    edges: Vec<[u32; 2]>,
    weights: Vec<f64>,
}

/// The pairs of a coordinate file, each once.
fn read(path: &str) -> Signed {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines().filter(|line| !line.starts_with('%')).map(|line| line.split_whitespace());
    let n = lines.next().unwrap().next().unwrap().parse().unwrap();
    let mut pairs: Vec<([u32; 2], f64)> = lines
        .map(|mut words| {
            let mut next = || words.next().unwrap();
            let ends: [u32; 2] = [next().parse().unwrap(), next().parse().unwrap()];
            ([ends[0].min(ends[1]) - 1, ends[0].max(ends[1]) - 1], next().parse().unwrap())
        })
        .collect();
    let largest = pairs.iter().map(|pair| pair.1).fold(f64::NEG_INFINITY, f64::max);
    pairs.retain(|([u, v], _)| u != v);
    pairs.sort_by_key(|pair| pair.0);
    pairs.dedup_by_key(|pair| pair.0);
    let (edges, weights) = pairs.into_iter().map(|(ends, weight)| (ends, weight - largest / 3.0)).unzip();
    Signed { n, edges, weights }
}

/// Squares of 56 pixels, alike inside and unlike outside, with noise.
fn grid(side: usize) -> Signed {
    let (mut edges, mut weights) = (Vec::new(), Vec::new());
    let mut state = 1u64;
    for u in 0..side * side {
        let (row, col) = (u / side, u % side);
        for (inside, v, border) in [(col + 1 < side, u + 1, col), (row + 1 < side, u + side, row)] {
            if inside {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let noise = (state >> 40) as f64 / (1u64 << 24) as f64 - 0.5;
                edges.push([u as u32, v as u32]);
                weights.push(noise + if (border + 1) % 56 == 0 { -0.25 } else { 0.25 });
            }
        }
    }
    Signed { n: side * side, edges, weights }
}

fn main() {
    let files = std::env::args().skip(1);
    let graphs = files.map(|file| (read(&file), file)).chain([(grid(392), "grid".into())]);
    println!("graph,nodes,edges,clusters,milliseconds");
    for (Signed { n, edges, weights }, name) in graphs {
        let mut least = f64::INFINITY;
        let mut labels = Vec::new();
        for _ in 0..20 {
            let start = Instant::now();
            labels = edge_contraction(n, &edges, &weights, None);
            least = least.min(1e3 * start.elapsed().as_secs_f64());
        }
        let clusters = labels.iter().max().map_or(0, |most| most + 1);
        println!("{name},{n},{},{clusters},{least:.4}", edges.len());
    }
}
