//! The options of `segcut weights`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `segcut weights`.
#[derive(Debug, Args)]
pub struct WeightsArgs {
    /// What to do with them.
    #[command(subcommand)]
    pub command: WeightsCommand,
}

/// The subcommands of `segcut weights`.
#[derive(Debug, Subcommand)]
pub enum WeightsCommand {
    /// List the weights that have a name
    List,
    /// Fetch weights into the Hugging Face cache and print their path
    Fetch {
        /// Names of the list, or ORG/REPO@REVISION:FILE
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
    /// Compare weights in the cache with their digests
    Verify {
        /// Names of the list, or ORG/REPO@REVISION:FILE [default: all that are there]
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
    /// Tell layout, sizes and digest of weights
    Inspect {
        /// A .safetensors file, a name of the list, or ORG/REPO@REVISION:FILE
        #[arg(value_name = "FILE|NAME")]
        weights: String,
    },
    /// Convert a PyTorch file (.pth, .pt, .bin) to safetensors without running anything in it
    Import {
        /// The PyTorch file
        file: PathBuf,
        /// The safetensors file to write
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
        /// Read it in this process
        #[arg(long, hide = true)]
        in_process: bool,
    },
}
