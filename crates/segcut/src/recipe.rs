//! A TOML file that names one stage per table.

use crate::section::{Source, parse};
use crate::{RecipeError, Section};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The keys that a recipe may have at its top, in the order in which a resolved one is written.
pub(crate) const KEYS: [&str; 12] = [
    "version",
    "title",
    "source",
    "seed",
    "image",
    "superpixels",
    "features",
    "graph",
    "points",
    "cluster",
    "model",
    "refine",
];

/// The table `[model]` of a trained model's recipe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelEntry {
    /// The file of its arrays, beside the recipe.
    pub file: String,
    /// That file's checksum, as 64 hexadecimal digits.
    pub sha256: String,
}

/// Which method runs: a name and one table per stage.
///
/// # Examples
/// ```
/// let mut recipe = segcut::recipe_named("ncut-slic-color")?;
/// recipe.set("cluster.k", "4")?;
/// let pipeline = segcut::Pipeline::from_recipe(&recipe, &segcut::Registry::standard())?;
/// assert_eq!(pipeline.resolved()["cluster"]["k"].as_integer(), Some(4));
/// # Ok::<(), segcut::RecipeError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Recipe {
    name: String,
    source: Source,
    model: Option<Arc<[u8]>>,
}

impl Recipe {
    /// Reads a recipe's text. The stages are checked when a pipeline is made of it.
    ///
    /// # Errors
    /// [`RecipeError::Field`] where the text is no TOML or has an unknown key at its top.
    pub fn parse(name: &str, text: &str) -> Result<Self, RecipeError> {
        let source = Source { recipe: name.to_string(), text: Arc::from(text), lines: true };
        let recipe = Self { name: name.to_string(), source, model: None };
        recipe.table()?;
        Ok(recipe)
    }

    /// The recipe of a trained model, with the bytes of the file that [`model_entry`](Self::model_entry) names: its
    /// clusterer is the model. Checksums are the caller's to compare.
    #[must_use]
    pub fn with_model(self, bytes: impl Into<Arc<[u8]>>) -> Self {
        Self { model: Some(bytes.into()), ..self }
    }

    /// Which model the recipe belongs to; none for a recipe that was not trained.
    ///
    /// # Errors
    /// [`RecipeError::Field`] where the table `[model]` has other keys.
    pub fn model_entry(&self) -> Result<Option<ModelEntry>, RecipeError> {
        take_value(self, &mut self.table()?, "model")
    }

    /// The bytes of the model.
    pub fn model(&self) -> Option<&[u8]> {
        self.model.as_deref()
    }

    /// Whether the recipe makes superpixels: it is one for images.
    ///
    /// # Errors
    /// [`RecipeError::Field`] where the text is no TOML.
    pub fn is_for_images(&self) -> Result<bool, RecipeError> {
        Ok(self.table()?.contains_key("superpixels"))
    }

    /// The recipe's name (the file stem, for a file).
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The recipe as TOML.
    pub fn text(&self) -> &str {
        &self.source.text
    }

    /// Changes one value: `table.key`, or `features.1.key` for the second of a list. The value is
    /// TOML; what is no TOML counts as a string.
    ///
    /// # Errors
    /// [`RecipeError::Set`] where the path names nothing that can be set.
    pub fn set(&mut self, path: &str, value: &str) -> Result<(), RecipeError> {
        let setting = || format!("{path}={value}");
        let refuse = |message: String| RecipeError::Set { setting: setting(), message };
        let mut root = toml::Value::Table(self.plain()?);
        let (tables, key) = path.rsplit_once('.').unwrap_or(("", path));
        let mut at = &mut root;
        for step in tables.split('.').filter(|s| !s.is_empty()) {
            at = descend(at, step).map_err(refuse)?;
        }
        let Some(table) = at.as_table_mut() else {
            return Err(refuse(format!("{tables} is not a table")));
        };
        if key.is_empty() {
            return Err(refuse("the key is empty".into()));
        }
        table.insert(key.to_string(), literal(value));
        let text = toml::to_string(&root).map_err(|e| refuse(e.to_string()))?;
        self.source = Source { recipe: self.name.clone(), text: text.into(), lines: false };
        self.table().map(|_| ())
    }

    pub(crate) fn plain(&self) -> Result<toml::Table, RecipeError> {
        toml::from_str(&self.source.text).map_err(|e| self.source.field(&e))
    }

    /// The top table, with its keys checked.
    pub(crate) fn table(&self) -> Result<DeTable<'_>, RecipeError> {
        let table = parse(&self.source)?;
        for key in table.keys() {
            if !KEYS.contains(&key.get_ref().as_ref()) {
                return Err(RecipeError::Field {
                    recipe: self.name.clone(),
                    line: self.source.line(Some(key.span())),
                    message: format!("unknown key `{}`, expected one of {}", key.get_ref(), KEYS.join(", ")),
                });
            }
        }
        Ok(table)
    }
}

/// Takes the section `key` out of a recipe's top table.
pub(crate) fn take_section<'t>(
    recipe: &Recipe,
    table: &mut DeTable<'t>,
    key: &'static str,
) -> Result<Section<'t>, RecipeError> {
    let value = table.remove(key).ok_or(RecipeError::Missing { recipe: recipe.name.clone(), table: key })?;
    Section::new(&recipe.source, key, value)
}

/// Takes a list of sections (`[[features]]`) out of a recipe's top table; absent counts as empty.
pub(crate) fn take_sections<'t>(
    recipe: &Recipe,
    table: &mut DeTable<'t>,
    key: &'static str,
) -> Result<Vec<Section<'t>>, RecipeError> {
    let Some(value) = table.remove(key) else { return Ok(Vec::new()) };
    let span = value.span();
    let items: Vec<Spanned<DeValue<'t>>> = match value.into_inner() {
        DeValue::Array(items) => items.into_iter().collect(),
        single => vec![Spanned::new(span, single)],
    };
    items.into_iter().enumerate().map(|(i, item)| Section::new(&recipe.source, &format!("{key}.{i}"), item)).collect()
}

/// Takes a plain value out of a recipe's top table.
pub(crate) fn take_value<T: for<'de> Deserialize<'de>>(
    recipe: &Recipe,
    table: &mut DeTable<'_>,
    key: &str,
) -> Result<Option<T>, RecipeError> {
    let Some(value) = table.remove(key) else { return Ok(None) };
    let reader = toml::de::ValueDeserializer::from(value);
    T::deserialize(reader).map(Some).map_err(|e| recipe.source.field(&e))
}

fn descend<'v>(at: &'v mut toml::Value, step: &str) -> Result<&'v mut toml::Value, String> {
    match at {
        toml::Value::Array(items) => {
            let count = items.len();
            let index: usize = step.parse().map_err(|_| format!("{step} is not a place in a list of {count}"))?;
            items.get_mut(index).ok_or_else(|| format!("there is no item {index} in a list of {count}"))
        }
        toml::Value::Table(table) => Ok(table.entry(step).or_insert_with(|| toml::Value::Table(toml::Table::new()))),
        _ => Err(format!("{step} lies below a plain value")),
    }
}

fn literal(value: &str) -> toml::Value {
    let parsed: Option<toml::Table> = toml::from_str(&format!("v = {value}")).ok();
    parsed.and_then(|mut table| table.remove("v")).unwrap_or_else(|| toml::Value::String(value.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_change_values() {
        let mut recipe = Recipe::parse("x", "[cluster]\nkind = \"ncut\"\n[[features]]\nkind = \"color\"").unwrap();
        recipe.set("cluster.k", "auto").unwrap();
        recipe.set("features.0.weight", "2.5").unwrap();
        recipe.set("seed", "7").unwrap();
        let table = recipe.plain().unwrap();
        assert_eq!(table["cluster"]["k"].as_str(), Some("auto"));
        assert_eq!(table["features"][0]["weight"].as_float(), Some(2.5));
        assert_eq!(table["seed"].as_integer(), Some(7));
        assert!(matches!(recipe.set("features.3.weight", "1"), Err(RecipeError::Set { .. })));
        assert!(recipe.set("clusters.k", "1").is_err());
    }

    #[test]
    fn unknown_keys_name_their_line() {
        let error = Recipe::parse("mine", "seed = 0\nsuperpixel = 3").unwrap_err().to_string();
        assert!(error.starts_with("mine line 2: unknown key `superpixel`"), "{error}");
        let error = Recipe::parse("mine", "seed = \n").unwrap_err().to_string();
        assert!(error.starts_with("mine line 1"), "{error}");
    }
}
