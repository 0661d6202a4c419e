//! The part of a recipe that groups points and nodes.

use crate::recipe::take_value;
use crate::training::clusterer;
use crate::{Recipe, RecipeError, Registry};
use segcut_core::{Clusterer, StageError};
use segcut_graph::{PointGraph, PointGraphParams};

/// The tables `[points]` and `[cluster]` of a recipe, and its seed: all that data without an image need.
///
/// Other tables of the recipe are left alone, so that an image's recipe clusters a graph as well.
///
/// # Examples
/// ```
/// use segcut::{Grouping, Recipe, Registry};
/// let recipe = Recipe::parse("mine", "[points]\nn_neighbors = 5\n[cluster]\nkind = \"ncut\"\nk = 2")?;
/// let grouping = Grouping::from_recipe(&recipe, &Registry::standard())?;
/// assert_eq!(grouping.points().params().n_neighbors, 5);
/// assert_eq!(grouping.resolved()["cluster"]["k"].as_integer(), Some(2));
/// # Ok::<(), segcut::RecipeError>(())
/// ```
pub struct Grouping {
    seed: u64,
    points: PointGraph,
    clusterer: Box<dyn Clusterer>,
    resolved: toml::Table,
}

impl std::fmt::Debug for Grouping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Grouping").field("resolved", &self.resolved).finish_non_exhaustive()
    }
}

impl Grouping {
    /// Builds the clusterer and checks the parameters of the graph of points.
    ///
    /// # Errors
    /// [`RecipeError`] with the table, the line and the allowed words.
    pub fn from_recipe(recipe: &Recipe, registry: &Registry) -> Result<Self, RecipeError> {
        let mut table = recipe.table()?;
        let seed = take_value(recipe, &mut table, "seed")?.unwrap_or(0);
        let points = take_points(recipe, &mut table)?.unwrap_or_default();
        let filled = toml::Table::try_from(&points).unwrap_or_default();
        let refused = |source| refused(recipe, source);
        let points = PointGraph::new(points).map_err(refused)?;
        let cluster = clusterer(recipe, &mut table, registry)?;
        let model = recipe.model_entry()?;
        let mut resolved = toml::Table::new();
        resolved.insert("version".into(), env!("CARGO_PKG_VERSION").into());
        resolved.insert("seed".into(), toml::Value::Integer(i64::try_from(seed).unwrap_or(i64::MAX)));
        resolved.insert("points".into(), filled.into());
        resolved.insert("cluster".into(), cluster.resolved.into());
        if let Some(model) = model {
            resolved.insert("model".into(), toml::Table::try_from(&model).unwrap_or_default().into());
        }
        Ok(Self { seed, points, clusterer: cluster.stage, resolved })
    }

    /// The recipe's seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How points become a graph.
    pub fn points(&self) -> &PointGraph {
        &self.points
    }

    /// What groups the nodes.
    pub fn clusterer(&self) -> &dyn Clusterer {
        &*self.clusterer
    }

    /// Both tables with every default filled in, the seed and the version of segcut.
    pub fn resolved(&self) -> &toml::Table {
        &self.resolved
    }
}

/// Takes the table `[points]` of a recipe.
pub(crate) fn take_points(
    recipe: &Recipe,
    table: &mut toml::de::DeTable<'_>,
) -> Result<Option<PointGraphParams>, RecipeError> {
    take_value(recipe, table, "points")
}

fn refused(recipe: &Recipe, source: StageError) -> RecipeError {
    RecipeError::Stage { recipe: recipe.name().to_string(), line: None, table: "points".into(), source }
}
