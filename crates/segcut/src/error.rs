//! What can be wrong with a recipe.

use segcut_core::StageError;
use thiserror::Error;

/// Why a recipe makes no pipeline. Every message names the table, and the line where it is known.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// The file is no TOML, or a key or value does not fit.
    #[error("{recipe}{at}: {message}", at = at(*line))]
    Field {
        /// The recipe's name.
        recipe: String,
        /// The line, from 1.
        line: Option<usize>,
        /// What is wrong and which words are allowed.
        message: String,
    },
    /// A kind that nobody registered.
    #[error("{recipe}{at}: {table}.kind = \"{kind}\" is not known; known: {}", known.join(", "), at = at(*line))]
    Kind {
        /// The recipe's name.
        recipe: String,
        /// The line, from 1.
        line: Option<usize>,
        /// The table.
        table: String,
        /// The kind that was asked for.
        kind: String,
        /// The registered kinds.
        known: Vec<String>,
    },
    /// A table that every recipe needs is absent.
    #[error("{recipe}: the table [{table}] is missing")]
    Missing {
        /// The recipe's name.
        recipe: String,
        /// The table.
        table: &'static str,
    },
    /// The stage refused its parameters.
    #[error("{recipe}{at}: [{table}] {source}", at = at(*line))]
    Stage {
        /// The recipe's name.
        recipe: String,
        /// The line of the table, from 1.
        line: Option<usize>,
        /// The table.
        table: String,
        /// The refusal.
        source: StageError,
    },
    /// The recipe is that of a trained model, whose arrays were not handed in.
    #[error("{recipe} is the recipe of a trained model: its file {file} was not read")]
    Unloaded {
        /// The recipe's name.
        recipe: String,
        /// The file of arrays.
        file: String,
    },
    /// No recipe of this name is built in.
    #[error("there is no recipe \"{name}\"; built in: {}", known.join(", "))]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// The built-in names.
        known: Vec<String>,
    },
    /// A setting `table.key=value` that cannot be applied.
    #[error("--set {setting}: {message}")]
    Set {
        /// The setting as it was written.
        setting: String,
        /// Why not.
        message: String,
    },
}

fn at(line: Option<usize>) -> String {
    line.map(|line| format!(" line {line}")).unwrap_or_default()
}
