//! Graph to Clustering by neural networks.
//!
//! ```text
//! RegionGraph ─► features spread over the graph, once ─► two layers ─► memberships ─► N-cut or correlation loss
//!                                                             ▲──── written-out gradients, AdamW ────┘
//! ```
//!
//! [`DeepCut`] is the stage; it trains one small network per graph.

mod adamw;
mod deepcut;
mod exponential;
mod loss;
mod network;
mod operator;
mod propagate;
mod training;

pub use deepcut::{DeepCut, DeepCutError, DeepCutParams, Labels, Objective};
