//! One table of a recipe, with its place in the text.

use crate::RecipeError;
use segcut_core::StageError;
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::ser::Serialize;
use std::ops::Range;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The text that a section came from.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) recipe: String,
    pub(crate) text: Arc<str>,
    /// Lines are only told where the text is the user's own.
    pub(crate) lines: bool,
}

impl Source {
    pub(crate) fn line(&self, span: Option<Range<usize>>) -> Option<usize> {
        let start = span.filter(|_| self.lines)?.start.min(self.text.len());
        Some(1 + self.text.as_bytes()[..start].iter().filter(|&&b| b == b'\n').count())
    }

    pub(crate) fn field(&self, error: &toml::de::Error) -> RecipeError {
        RecipeError::Field {
            recipe: self.recipe.clone(),
            line: self.line(error.span()),
            message: error.message().to_string(),
        }
    }
}

/// One stage's table: its kind and its parameters.
#[derive(Debug, Clone)]
pub struct Section<'t> {
    pub(crate) source: Source,
    pub(crate) path: String,
    pub(crate) kind: String,
    pub(crate) table: Spanned<DeTable<'t>>,
}

impl<'t> Section<'t> {
    /// Takes the table at `path`, without its `kind`.
    pub(crate) fn new(source: &Source, path: &str, value: Spanned<DeValue<'t>>) -> Result<Self, RecipeError> {
        let span = value.span();
        let refuse = |message: &str, span: Range<usize>| RecipeError::Field {
            recipe: source.recipe.clone(),
            line: source.line(Some(span)),
            message: format!("[{path}] {message}"),
        };
        let DeValue::Table(mut table) = value.into_inner() else {
            return Err(refuse("must be a table", span));
        };
        let Some(kind) = table.remove("kind") else {
            return Err(refuse("has no kind", span));
        };
        let Some(kind) = kind.get_ref().as_str().map(str::to_string) else {
            return Err(refuse("kind must be a string", kind.span()));
        };
        Ok(Self { source: source.clone(), path: path.to_string(), kind, table: Spanned::new(span, table) })
    }

    /// The table's name, for example `cluster` or `features.1`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Which stage is asked for.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The parameters, read as a params struct.
    ///
    /// # Errors
    /// [`RecipeError::Field`] with the line and the allowed words.
    pub fn params<P: DeserializeOwned>(&self) -> Result<P, RecipeError> {
        P::deserialize(self.table.clone().into_deserializer()).map_err(|e| self.source.field(&e))
    }

    /// Takes a nested stage's table out of this one.
    pub(crate) fn take(&mut self, key: &str) -> Result<Option<Section<'t>>, RecipeError> {
        let Some(value) = self.table.get_mut().remove(key) else { return Ok(None) };
        Section::new(&self.source, &format!("{}.{key}", self.path), value).map(Some)
    }

    /// A stage's refusal of these parameters.
    pub(crate) fn refused(&self, source: StageError) -> RecipeError {
        RecipeError::Stage {
            recipe: self.source.recipe.clone(),
            line: self.source.line(Some(self.table.span())),
            table: self.path.clone(),
            source,
        }
    }

    /// The kind is not among the registered ones.
    pub(crate) fn unknown_kind(&self, known: Vec<String>) -> RecipeError {
        RecipeError::Kind {
            recipe: self.source.recipe.clone(),
            line: self.source.line(Some(self.table.span())),
            table: self.path.clone(),
            kind: self.kind.clone(),
            known,
        }
    }
}

/// Kind and parameters with all defaults filled in.
///
/// # Errors
/// [`RecipeError::Field`] where a value has no TOML form (params structs have one).
pub(crate) fn resolved<P: Serialize>(section: &Section<'_>, params: &P) -> Result<toml::Table, RecipeError> {
    let filled = toml::Table::try_from(params).map_err(|error| RecipeError::Field {
        recipe: section.source.recipe.clone(),
        line: None,
        message: format!("[{}] {error}", section.path),
    })?;
    let mut table = toml::Table::new();
    table.insert("kind".into(), section.kind.clone().into());
    table.extend(filled);
    Ok(table)
}

/// Parses the text of a recipe into a table that knows its lines.
pub(crate) fn parse(source: &Source) -> Result<DeTable<'_>, RecipeError> {
    DeTable::parse(&source.text).map(Spanned::into_inner).map_err(|e| source.field(&e))
}
