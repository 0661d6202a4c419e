//! `--recipe`, `--set`, `--k`, `--seed` → a recipe.

use crate::args::{RecipeArgs, RecipeChange};
use crate::exit::Failure;
use crate::features::{describing, registry};
use segcut::{Pipeline, Recipe, RecipeError, WeightsError, recipe_named};
use segcut_core::StageError;
use std::path::Path;

/// The recipe that was asked for, with the changes made.
pub fn choose(args: &RecipeArgs) -> Result<Recipe, Failure> {
    let mut recipe = load(&args.recipe)?;
    change(&mut recipe, &args.change)?;
    Ok(recipe)
}

/// A built-in recipe by name, or a file, whose stages are checked.
pub fn load(name: &str) -> Result<Recipe, Failure> {
    let recipe = read(name)?;
    // The recipe as it stands is checked first, so that errors name the lines of the user's file.
    described(&recipe)?;
    Ok(recipe)
}

/// A built-in recipe by name, or a file; its tables are not looked at.
pub fn read(name: &str) -> Result<Recipe, Failure> {
    let path = Path::new(name);
    let is_file = path.extension().is_some_and(|e| e == "toml") || path.is_file();
    if !is_file {
        return recipe_named(name).map_err(Failure::usage);
    }
    let text = std::fs::read_to_string(path).map_err(|e| Failure::usage(format!("recipe {name}: {e}")))?;
    Recipe::parse(name, &text).map_err(Failure::usage)
}

/// Applies `--set`, `--k` and `--seed`, in this order.
pub fn change(recipe: &mut Recipe, change: &RecipeChange) -> Result<(), Failure> {
    for setting in &change.set {
        let (path, value) = split(setting)?;
        recipe.set(path, value).map_err(Failure::usage)?;
    }
    if let Some(k) = &change.k {
        if k != "auto" && k.parse::<usize>().map_or(true, |k| k == 0) {
            return Err(Failure::usage(format!("--k {k}: a number of regions from 1, or auto")));
        }
        recipe.set("cluster.k", k).map_err(Failure::usage)?;
    }
    if let Some(seed) = change.seed {
        recipe.set("seed", &seed.to_string()).map_err(Failure::usage)?;
    }
    Ok(())
}

/// `table.key=value` in two.
pub fn split(setting: &str) -> Result<(&str, &str), Failure> {
    setting.split_once('=').ok_or_else(|| Failure::usage(format!("--set {setting}: write it as table.key=value")))
}

/// The pipeline of a recipe; features of networks are kept in the folder `cache`.
pub fn pipeline(recipe: &Recipe, cache: Option<&Path>) -> Result<Pipeline, Failure> {
    Pipeline::from_recipe(recipe, &registry(cache)?).map_err(refusal)
}

/// The pipeline of a recipe without its weights: to check it and to show it.
pub fn described(recipe: &Recipe) -> Result<Pipeline, Failure> {
    Pipeline::from_recipe(recipe, &describing()).map_err(refusal)
}

/// A refused recipe is wrong usage, except where its weights are to blame.
fn refusal(error: RecipeError) -> Failure {
    let RecipeError::Stage { source: StageError::Data(source), .. } = &error else { return Failure::usage(error) };
    if source.is::<WeightsError>() || source.is::<Failure>() { Failure::weights(error) } else { Failure::usage(error) }
}
