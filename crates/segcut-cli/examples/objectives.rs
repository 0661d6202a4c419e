//! What solvers reach on the same graphs: `objectives IMAGE…` prints one line per image, graph and solver, for
//! `tests/peers/deepcut/objectives.py`.
//!
//! `correlation`: Σ over edges inside clusters of (w − largest/3), over the sum of its positive terms. `ncut`: the sum
//! over clusters of cut / volume.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout)]

use segcut::{Pipeline, Prepared, Recipe, Registry, cut_values};
use segcut_core::{Affinity, Context, Partition};
use segcut_io::decode::{DecodeOptions, open};
use std::path::Path;
use std::time::Instant;

const SUPERPIXELS: &str = "[superpixels]\nkind = \"slic\"\nn_segments = 400\ncompactness = 10.0\n";
const COLOR: &str = "[[features]]\nkind = \"color\"\nspace = \"rgb\"\n[[features]]\nkind = \"position\"\n";
const GRAPHS: [(&str, &str); 2] = [
    (
        "rag",
        "kind = \"rag\"\nconnectivity = 8\nscale = { kind = \"fixed\", sigma = 255.0 }\nweights = { position = 0.0 }",
    ),
    ("dense", "kind = \"correlation\"\nnegative = \"keep\"\ncenter = true\nweights = { position = 0.0 }"),
];
const NETWORK: &str = "kind = \"deepcut\"\nscales = { color = 0.00392156862745098 }\nstandardize = false\ndropout = 0.25\n\
    learning_rate = 1e-3\ntolerance = 0.0\n";

/// Name and `[cluster]` of every solver of one objective.
fn solvers(objective: &str) -> Vec<(String, String)> {
    let ours = |k: &str| format!("kind = \"deepcut\"\nobjective = \"{objective}\"\nk = {k}");
    let published = |k: usize, epochs: usize| {
        (format!("network {epochs}"), format!("{NETWORK}objective = \"{objective}\"\nk = {k}\nepochs = {epochs}"))
    };
    let multicut = |moves: &str| format!("kind = \"multicut\"\nbias = {{ alpha = 3.0 }}\nmoves = \"{moves}\"");
    if objective == "correlation" {
        let mut all = vec![("gaec".into(), multicut("none")), ("gaec+moves".into(), multicut("kernighan_lin"))];
        all.extend([10, 100, 500].map(|epochs| published(10, epochs)));
        all.push(("network, own settings".into(), ours("10")));
        return all;
    }
    let mut all = vec![("eigenvectors".into(), "kind = \"ncut\"\nk = 2".into())];
    all.extend([10, 100, 500].map(|epochs| published(2, epochs)));
    all.push(("network, own settings".into(), ours("2")));
    all
}

fn pipeline(graph: &str, cluster: &str, registry: &Registry) -> Pipeline {
    let text = format!("{SUPERPIXELS}{COLOR}[graph]\n{graph}\n[cluster]\n{cluster}\n");
    Pipeline::from_recipe(&Recipe::parse("objectives", &text).unwrap(), registry).unwrap()
}

/// Weights above and below the largest / 3 that lie inside clusters, over all those above.
fn kept(affinity: &Affinity, partition: &Partition) -> f64 {
    let edges: Vec<(usize, usize, f64)> = match affinity {
        Affinity::Sparse(sparse) => {
            let pairs = sparse.edges().iter().zip(sparse.weights());
            pairs.map(|(&[u, v], &w)| (u as usize, v as usize, w)).collect()
        }
        Affinity::Gram(gram) => {
            let n = affinity.n();
            (0..n).flat_map(|u| (u + 1..n).map(move |v| (u, v, gram.weight(u, v)))).collect()
        }
    };
    let diagonal = affinity.diagonal();
    let largest = edges.iter().map(|e| e.2).chain(diagonal.iter().copied()).fold(f64::NEG_INFINITY, f64::max);
    let shifted = edges.iter().map(|&(u, v, w)| (u, v, w - largest / 3.0));
    let labels = partition.labels();
    let inside: f64 = shifted.clone().filter(|&(u, v, _)| labels[u] == labels[v]).map(|e| e.2).sum();
    inside / shifted.map(|e| e.2.max(0.0)).sum::<f64>()
}

fn report(id: &str, graph: &str, solver: &str, pipeline: &Pipeline, prepared: &Prepared<'_>, objective: &str) {
    let start = Instant::now();
    let partition = pipeline.finish(prepared, &Context::seeded(0)).unwrap().clustering.partition;
    let seconds = start.elapsed().as_secs_f64();
    let used = Partition::compact(partition.labels());
    let affinity = prepared.graph().affinity();
    let value = match objective {
        "correlation" => kept(affinity, &used),
        _ => cut_values(affinity, &used).unwrap().ncut(),
    };
    println!("{id},{graph},{objective},{solver},{},{value:.6},{seconds:.6}", used.k());
}

fn main() {
    let registry = Registry::standard();
    println!("image,graph,objective,solver,clusters,value,seconds");
    for file in std::env::args().skip(1) {
        let image = open(Path::new(&file), &DecodeOptions::default()).unwrap().image;
        let id = Path::new(&file).file_stem().unwrap().to_string_lossy().into_owned();
        for (graph, table) in GRAPHS {
            for objective in ["correlation", "ncut"] {
                if graph == "dense" && objective == "ncut" {
                    continue;
                }
                let solvers = solvers(objective);
                let first = pipeline(table, &solvers[0].1, &registry);
                let prepared = first.prepare(&image, &Context::seeded(0)).unwrap();
                for (solver, cluster) in &solvers {
                    let solver = solver.replace(',', ";");
                    report(&id, graph, &solver, &pipeline(table, cluster, &registry), &prepared, objective);
                }
            }
        }
    }
}
