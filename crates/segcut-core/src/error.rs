//! The error type that every stage trait returns.

use thiserror::Error;

/// Why a stage gave no result. Not converging is no error: it is a [`Status`](crate::Status).
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StageError {
    /// A parameter was refused when the stage was built.
    #[error("{name} = {value} is refused: it must be {must}")]
    Parameter {
        /// The parameter as it is written in a recipe, for example `cluster.k`.
        name: &'static str,
        /// The value that was given.
        value: String,
        /// What the value must be.
        must: &'static str,
    },
    /// The data do not fit the stage.
    #[error(transparent)]
    Data(Box<dyn std::error::Error + Send + Sync>),
    /// A numeric backend failed.
    #[error("{backend} failed: {source}")]
    Backend {
        /// The library, for example `faer`.
        backend: &'static str,
        /// Its own error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The caller asked to stop before there was a result worth keeping.
    #[error("stopped: {0:?}")]
    Stopped(crate::Stop),
}

impl StageError {
    /// Wraps a room's own error about its input data.
    pub fn data(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Data(Box::new(error))
    }

    /// A refused parameter.
    pub fn parameter(name: &'static str, value: impl std::fmt::Display, must: &'static str) -> Self {
        Self::Parameter { name, value: value.to_string(), must }
    }

    /// A failure inside a numeric library.
    pub fn backend(backend: &'static str, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Backend { backend, source: Box::new(source) }
    }
}
