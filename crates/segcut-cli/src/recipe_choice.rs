//! `--recipe`, `--set`, `--k`, `--seed` → a recipe.

use crate::args::{RecipeArgs, RecipeChange};
use crate::exit::Failure;
use crate::features::{describing, registry};
use segcut::{ModelError, Pipeline, Recipe, RecipeError, WeightsError, recipe_named};
use segcut_core::StageError;
use segcut_io::hash::sha256;
use segcut_io::{Input, shown};
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

/// A built-in recipe by name, a file, or the folder of a trained model; its tables are not looked at. A name that is built
/// in is never a file or a folder here; `./NAME` is.
pub fn read(name: &str) -> Result<Recipe, Failure> {
    let named = recipe_named(name);
    let path = Path::new(name);
    if named.is_err() && path.is_dir() {
        return read_model(path);
    }
    let is_file = path.extension().is_some_and(|e| e == "toml") || path.is_file();
    if named.is_ok() || !is_file {
        return named.map_err(Failure::usage);
    }
    let text = std::fs::read_to_string(path).map_err(|e| Failure::usage(format!("recipe {name}: {e}")))?;
    let recipe = Recipe::parse(name, &text).map_err(Failure::usage)?;
    with_arrays(recipe, path.parent().unwrap_or(Path::new("")))
}

/// The folder of a trained model → its recipe, with the arrays.
pub fn read_model(folder: &Path) -> Result<Recipe, Failure> {
    let file = folder.join(MODEL_RECIPE);
    let text = std::fs::read_to_string(&file).map_err(|e| {
        Failure::no_input(format!("{}: {e}: a model is a folder that segcut train has written", shown(&file)))
    })?;
    let recipe = Recipe::parse(&folder.display().to_string(), &text).map_err(Failure::weights)?;
    if recipe.model_entry().map_err(Failure::weights)?.is_none() {
        let file = shown(&file);
        return Err(Failure::no_input(format!("{file} has no table [model]: the folder holds no trained model")));
    }
    with_arrays(recipe, folder)
}

/// A recipe of a trained model with its arrays, whose checksum is compared; another recipe as it is.
fn with_arrays(recipe: Recipe, folder: &Path) -> Result<Recipe, Failure> {
    let Some(entry) = recipe.model_entry().map_err(Failure::usage)? else { return Ok(recipe) };
    if Path::new(&entry.file).file_name().is_none_or(|name| name != entry.file.as_str()) {
        return Err(Failure::weights(format!("{}: model.file = \"{}\" must be a name", recipe.name(), entry.file)));
    }
    let file = folder.join(&entry.file);
    let read = Input::read(&file, MOST_BYTES).map_err(Failure::weights)?;
    let found = sha256(&read.bytes);
    if found != entry.sha256 {
        let (file, wanted) = (shown(&file), entry.sha256);
        return Err(Failure::weights(format!("{file} has the checksum {found}, and its recipe says {wanted}")));
    }
    Ok(recipe.with_model(read.bytes))
}

/// The largest file of arrays that is read.
const MOST_BYTES: u64 = 8 << 30;

/// The recipe in a model's folder.
pub const MODEL_RECIPE: &str = "recipe.toml";

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
pub fn refusal(error: RecipeError) -> Failure {
    let RecipeError::Stage { source: StageError::Data(source), .. } = &error else { return Failure::usage(error) };
    let weights = source.is::<WeightsError>() || source.is::<ModelError>() || source.is::<Failure>();
    if weights { Failure::weights(error) } else { Failure::usage(error) }
}
