//! Recipes with network features against scipy (tests/oracle/tokencut/generate.py), on features that are given.

#![allow(clippy::unwrap_used)]

use segcut::{Pipeline, Registry, recipe_named};
use segcut_core::{ColorSpace, Context, FeatureExtractor, FeatureMap, Features, Grid, Image, Samples, StageError};
use std::fs;
use std::path::Path;

const ROWS: usize = 8;
const COLS: usize = 11;
const CELL: usize = 8;

fn table(name: &str) -> Vec<Vec<f64>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/oracle/tokencut").join(name);
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| line.split(',').map(|v| v.parse().unwrap()).collect()).collect()
}

/// The fixture's keys and colors as maps of patches.
struct Given;

impl FeatureExtractor for Given {
    fn extract<'a>(&self, images: &'a [Image], _: &Context) -> Result<Vec<Features<'a>>, StageError> {
        let step = CELL as f64;
        let grid = Grid { rows: ROWS, cols: COLS, step: [step; 2], origin: [step / 2.0 - 0.5; 2] };
        let map = |name: &str, file: &str, dims, scale: f64| {
            let values = table(file).concat().into_iter().map(|v| (v / scale) as f32).collect();
            FeatureMap::held(name, grid, dims, values).map_err(StageError::data)
        };
        let one = |_| {
            let maps = vec![map("vit", "keys.csv", 8, 1.0)?, map("color", "colors.csv", 3, 255.0)?];
            Ok(Features { maps, attention: None })
        };
        images.iter().map(one).collect()
    }
}

fn pipeline(recipe: &str) -> Pipeline {
    let recipe = recipe_named(recipe).unwrap();
    Pipeline::from_recipe(&recipe, &Registry::without_weights()).unwrap().with_extractor(Given)
}

fn image() -> Image {
    let (height, width) = (ROWS * CELL, COLS * CELL);
    Image::new(height, width, ColorSpace::Srgb, Samples::U8(vec![90; height * width * 3])).unwrap()
}

#[test]
fn tokencut_is_scipys() {
    let (pipeline, image, context) = (pipeline("tokencut"), image(), Context::default());
    let prepared = pipeline.prepare(&image, &context).unwrap();
    let done = pipeline.finish(&prepared, &context).unwrap();
    let expected = table("tokencut.csv");
    let vectors = done.clustering.embedding.unwrap();
    let sign = vectors.column(1).iter().zip(&expected).map(|(a, b)| a * b[0]).sum::<f64>().signum();
    let length = |values: Vec<f64>| values.iter().map(|v| v * v).sum::<f64>().sqrt();
    let scale = length(expected.iter().map(|row| row[0]).collect()) / length(vectors.column(1).to_vec());
    for (node, row) in expected.iter().enumerate() {
        assert!((sign * scale * vectors[[node, 1]] - row[0]).abs() < 1e-6, "node {node}");
        let pixel = node / COLS * CELL * image.width() + node % COLS * CELL;
        assert_eq!(f64::from(done.labels.labels()[pixel]), row[1], "node {node}");
    }
}

#[test]
fn deep_spectral_has_the_published_graph_and_eigenvalues() {
    let (pipeline, image, context) = (pipeline("deep-spectral"), image(), Context::default());
    let prepared = pipeline.prepare(&image, &context).unwrap();
    let graph = prepared.graph().affinity().sparse().unwrap();
    let expected = table("spectral.csv");
    assert_eq!(graph.edges().len(), expected.len());
    for ((edge, weight), row) in graph.edges().iter().zip(graph.weights()).zip(&expected) {
        assert_eq!(edge.map(f64::from), row[..2]);
        assert!((weight - row[2]).abs() < 1e-5, "{edge:?}: {weight}, not {}", row[2]);
    }
    let done = pipeline.finish(&prepared, &context).unwrap();
    for (value, row) in done.clustering.eigenvalues.unwrap().iter().zip(table("eigenvalues.csv")) {
        assert!((value - row[0]).abs() < 1e-6, "{value}, not {}", row[0]);
    }
    assert_eq!(done.clustering.partition.k(), 15);
}

#[test]
fn superpixels_take_keys_by_shared_area() {
    let (pipeline, image, context) = (pipeline("ncut-dino-superpixels"), image(), Context::default());
    let done = pipeline.segment(&image, &context).unwrap();
    assert_eq!(done.labels.labels().len(), image.pixels());
    assert!(done.clustering.partition.k() <= 8);
}

/// Without its weights a recipe can be shown and not run.
#[test]
fn an_extractor_without_weights_refuses() {
    let recipe = recipe_named("tokencut").unwrap();
    let pipeline = Pipeline::from_recipe(&recipe, &Registry::without_weights()).unwrap();
    assert_eq!(pipeline.resolved()["features"][0]["weights"].as_str(), Some("dino-vits16"));
    let error = pipeline.segment(&image(), &Context::default()).unwrap_err().to_string();
    assert_eq!(error, "[features] the weights dino-vits16 were not opened");
}
