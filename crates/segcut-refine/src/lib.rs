//! Label maps and evidence to better label maps: projection, connected components, small regions,
//! morphology, the choice of the foreground, borders along the edges of the image.
//!
//! Every stage here keeps [`VOID`](segcut_core::VOID) pixels as they are and gives the same bytes at any
//! number of threads (only the guided filter runs on more than one).

mod borders;
mod colors;
mod components;
mod confidence;
mod connectivity;
mod corners;
mod disjoint_sets;
mod edge_aware;
mod foreground;
mod grab_cut;
mod keep_component;
mod merge_small;
mod morphology;
mod project;
mod region_table;
mod seed_component;

pub use components::{Components, ComponentsParams, connected_components};
pub use confidence::mask_confidence;
pub use connectivity::{Connectivity, ConnectivityError};
pub use corners::{Corners, CornersParams};
pub use edge_aware::{
    BilateralSolver, BilateralSolverParams, DenseCrf, DenseCrfParams, EdgeAwareError, Guided, GuidedParams,
};
pub use foreground::{AttentionError, Cue, Foreground, ForegroundParams};
pub use grab_cut::{GrabCut, GrabCutParams};
pub use keep_component::{Keep, KeepComponent, KeepComponentParams};
pub use merge_small::{MergeSmall, MergeSmallParams, MergeTo};
pub use morphology::{Morphology, MorphologyParams, Operation, Shape};
pub use project::{ProjectError, project};
pub use seed_component::{SeedComponent, SeedComponentParams, SeedError};
