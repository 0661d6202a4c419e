//! What a weight file holds.

use super::resolve::weights_path;
use crate::args::Talk;
use crate::exit::{Code, Failure, Outcome};
use crate::print::{out, out_json};
use segcut::Weights;
use serde_json::json;

/// Prints layout, sizes and digest of a file or of named weights.
pub fn inspect(weights: &str, talk: Talk) -> Outcome {
    let path = weights_path(weights)?;
    let weights = Weights::open(&path).map_err(Failure::weights)?;
    let (network, digest) = (weights.network(), weights.sha256());
    let architecture = network.architecture();
    if talk.json {
        return out_json(&json!({
            "path": path, "sha256": digest, "layout": network.layout(), "architecture": architecture,
        }));
    }
    out(&format!("file          {}", path.display()))?;
    out(&format!("sha256        {digest}"))?;
    out(&format!("network       {:?} {}", architecture.family, architecture.name().unwrap_or_default()))?;
    out(&format!("tensor names  {:?}", network.layout()))?;
    out(&format!("patch         {} pixels", architecture.patch))?;
    out(&format!("tokens        {} numbers, {} heads", architecture.dim, architecture.heads()))?;
    out(&format!(
        "blocks        {} of width {} ({:?})",
        architecture.depth, architecture.hidden, architecture.perceptron
    ))?;
    out(&format!("registers     {}", architecture.registers))?;
    let native =
        architecture.native_side().map_or("any (rotary positions)".to_string(), |side| format!("{side} pixels"));
    out(&format!("trained at    {native}"))?;
    Ok(Code::Fine)
}
