//! The part of a recipe that learns.

use crate::recipe::take_section;
use crate::registry::Built;
use crate::{Recipe, RecipeError, Registry};
use segcut_core::{Clusterer, Learner};
use toml::de::DeTable;

/// The table `[cluster]` of a recipe → its learner.
///
/// # Errors
/// [`RecipeError::Kind`] for a kind that cannot be trained, with those that can.
///
/// # Examples
/// ```
/// use segcut::{Recipe, Registry, learner};
/// let registry = Registry::standard();
/// let recipe = |kind: &str| Recipe::parse("mine", &format!("[cluster]\nkind = \"{kind}\"\nk = 2"));
/// assert!(learner(&recipe("spectralnet")?, &registry).is_ok());
/// assert!(learner(&recipe("ncut")?, &registry).is_err());
/// # Ok::<(), segcut::RecipeError>(())
/// ```
pub fn learner(recipe: &Recipe, registry: &Registry) -> Result<Box<dyn Learner>, RecipeError> {
    let mut table = recipe.table()?;
    registry.build_learner(take_section(recipe, &mut table, "cluster")?).map(|built| built.stage)
}

/// The table `[cluster]` of a recipe → its clusterer: the model, where the recipe is that of one.
pub(crate) fn clusterer(
    recipe: &Recipe,
    table: &mut DeTable<'_>,
    registry: &Registry,
) -> Result<Built<dyn Clusterer>, RecipeError> {
    let section = take_section(recipe, table, "cluster")?;
    match (recipe.model_entry()?, recipe.model()) {
        (Some(entry), None) => Err(RecipeError::Unloaded { recipe: recipe.name().to_string(), file: entry.file }),
        (_, model) => registry.build_clusterer(section, model),
    }
}
