//! How a command ends: the exit codes are a contract.

use std::fmt::Display;

/// Exit codes of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// All fine.
    Fine = 0,
    /// Some or all inputs failed.
    Inputs = 1,
    /// Wrong usage or parameters.
    Usage = 2,
    /// Nothing to read, or a broken data set.
    NoInput = 3,
    /// Output not writable, full or locked.
    Output = 4,
    /// Weights are missing, damaged or of another network.
    Weights = 5,
    /// Interrupted by SIGINT.
    Interrupted = 130,
    /// Terminated by SIGTERM.
    Terminated = 143,
}

/// An error that ends the command.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The exit code.
    pub code: Code,
    /// What is told on stderr.
    pub message: String,
}

impl Failure {
    /// The input failed: exit 1.
    pub fn inputs(message: impl Display) -> Self {
        Self { code: Code::Inputs, message: message.to_string() }
    }

    /// Wrong usage or parameters: exit 2.
    pub fn usage(message: impl Display) -> Self {
        Self { code: Code::Usage, message: message.to_string() }
    }

    /// Nothing to read, or a broken data set: exit 3.
    pub fn no_input(message: impl Display) -> Self {
        Self { code: Code::NoInput, message: message.to_string() }
    }

    /// Output not writable, full or locked: exit 4.
    pub fn output(message: impl Display) -> Self {
        Self { code: Code::Output, message: message.to_string() }
    }

    /// Weights are missing, damaged or of another network: exit 5.
    pub fn weights(message: impl Display) -> Self {
        Self { code: Code::Weights, message: message.to_string() }
    }
}

/// What a command returns.
pub type Outcome = Result<Code, Failure>;
