//! Reads `tests/oracle/pspectral` of the workspace.

use segcut_core::SparseAffinity;
use std::path::PathBuf;

/// What a reference program gave for one graph; lists have one entry per split.
#[derive(Debug)]
#[allow(dead_code)] // Not every test target reads every column.
pub struct Reference {
    pub method: String,
    pub graph: String,
    pub normalized: bool,
    /// p, or the criterion of the 1-spectral program.
    pub parameter: String,
    pub k: usize,
    pub eigenvalue: f64,
    pub cuts: Vec<f64>,
    pub cheegers: Vec<f64>,
}

fn read(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/oracle/pspectral");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

/// All rows of `expected.csv`.
pub fn references() -> Vec<Reference> {
    let list = |field: &str| field.split(';').filter(|x| !x.is_empty()).map(|x| x.parse().unwrap()).collect();
    let row = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        Reference {
            method: fields[0].into(),
            graph: fields[1].into(),
            normalized: fields[2] == "normalized",
            parameter: fields[3].into(),
            k: fields[4].parse().unwrap(),
            eigenvalue: fields[5].parse().unwrap(),
            cuts: list(fields[6]),
            cheegers: list(fields[7]),
        }
    };
    read("expected.csv").lines().skip(1).map(row).collect()
}

/// A graph in the Matrix Market format (coordinate, real, symmetric, lower triangle).
pub fn graph(name: &str) -> SparseAffinity {
    let text = read(&format!("{name}.mtx"));
    let mut lines = text.lines().filter(|l| !l.starts_with('%'));
    let n = lines.next().unwrap().split_whitespace().next().unwrap().parse().unwrap();
    let mut entries: Vec<([u32; 2], f64)> = lines
        .map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (a, b): (u32, u32) = (fields[0].parse().unwrap(), fields[1].parse().unwrap());
            ([a.min(b) - 1, a.max(b) - 1], fields[2].parse().unwrap())
        })
        .collect();
    entries.sort_by_key(|e| e.0);
    SparseAffinity::new(n, entries.iter().map(|e| e.0).collect(), entries.iter().map(|e| e.1).collect()).unwrap()
}
