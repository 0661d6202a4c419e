//! Recipe + Registry → Pipeline → Segmentation: the one room that knows every stage.
//!
//! A [`Recipe`] is a TOML file that names one stage per table; a [`Registry`] turns names into
//! stages; a [`Pipeline`] runs them on an image.

mod catalog;
mod contours;
mod error;
mod grouping;
mod image_stage;
mod pipeline;
mod recipe;
mod registry;
mod section;
mod soft_foreground;
mod stages;
mod training;
mod two_step;
mod warm_start;

pub use segcut_neural::ModelError;
pub use segcut_vit::{Vit, VitParams, Weights, WeightsError};

pub use catalog::{CatalogEntry, catalog, recipe_named};
pub use contours::contour_map;
pub use error::RecipeError;
pub use grouping::Grouping;
pub use image_stage::ImageParams;
pub use pipeline::{Pipeline, PipelineError, Prepared, Segmentation, Stage};
pub use recipe::{ModelEntry, Recipe};
pub use registry::Registry;
pub use section::Section;
// What the program needs to make graphs of points and arrays, and to value partitions.
pub use segcut_graph::{CutValues, GradientParams, PointAffinity, PointGraph, array_graph, cut_values};
pub use soft_foreground::soft_foreground;
pub use training::learner;
pub use two_step::{Background, TwoStep, TwoStepParams};
pub use warm_start::{Give, WarmStart, WarmStartParams};
