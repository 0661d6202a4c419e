//! Tensor names of the three code bases → one set of names.

use crate::tensors::{Tensor, Tensors};
use serde::Serialize;
use std::collections::BTreeMap;

/// Whose names and conventions a checkpoint follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// The authors' own repository. Also the guess where a DINO or DINOv2 file without registers could
    /// be timm's: the names are the same, and only the interpolation of positions differs.
    Original,
    /// timm (PyTorch Image Models).
    Timm,
    /// transformers (Hugging Face), as saved or as held in memory.
    Transformers,
}

/// Tensors under the names of this crate, with what is left over.
#[derive(Debug)]
pub(crate) struct Named {
    pub layout: Layout,
    pub tensors: BTreeMap<String, Tensor>,
    /// Names that no rule knows.
    pub unexpected: Vec<String>,
}

/// Wrappers that training code puts around a network.
const WRAPPERS: &[&str] = &[
    "module.",
    "state_dict.",
    "backbone.",
    "teacher.",
    "_orig_mod.",
    "vit.",
    "dinov2.",
    "dinov2_with_registers.",
    "dinov3_vit.",
    "model.",
];

/// Whole names → ours.
const SINGLE: &[(&str, &str)] = &[
    ("embeddings.cls_token", "cls_token"),
    ("cls_token", "cls_token"),
    ("embeddings.register_tokens", "register_tokens"),
    ("register_tokens", "register_tokens"),
    ("storage_tokens", "register_tokens"),
    ("reg_token", "register_tokens"),
    ("embeddings.position_embeddings", "pos_embed"),
    ("pos_embed", "pos_embed"),
    ("rope_embed.periods", "periods"),
];

/// Beginnings of names outside the blocks → ours; `weight` or `bias` follows.
const OUTSIDE: &[(&str, &str)] = &[
    ("embeddings.patch_embeddings.projection.", "patch."),
    ("embeddings.patch_embeddings.", "patch."),
    ("patch_embed.proj.", "patch."),
    ("layernorm.", "norm."),
    ("norm.", "norm."),
];

/// Beginnings of a block's name; its number follows.
const BLOCK: &[&str] = &["blocks.", "encoder.layer.", "encoder.layers.", "layer.", "layers."];

/// Beginnings of names inside a block → ours; the first that fits counts.
const INSIDE: &[(&str, &str)] = &[
    ("norm1.", "norm1."),
    ("layernorm_before.", "norm1."),
    ("norm2.", "norm2."),
    ("layernorm_after.", "norm2."),
    ("attn.qkv.", "qkv."),
    ("attn.q_bias", "q.bias"),
    ("attn.v_bias", "v.bias"),
    ("attn.proj.", "proj."),
    ("attention.attention.query.", "q."),
    ("attention.attention.key.", "k."),
    ("attention.attention.value.", "v."),
    ("attention.q_proj.", "q."),
    ("attention.k_proj.", "k."),
    ("attention.v_proj.", "v."),
    ("attention.output.dense.", "proj."),
    ("attention.o_proj.", "proj."),
    ("ls1.gamma", "ls1"),
    ("gamma_1", "ls1"),
    ("layer_scale1.lambda1", "ls1"),
    ("ls2.gamma", "ls2"),
    ("gamma_2", "ls2"),
    ("layer_scale2.lambda1", "ls2"),
    ("mlp.w1.", "gate."),
    ("mlp.fc1_g.", "gate."),
    ("mlp.gate_proj.", "gate."),
    ("mlp.w2.", "fc1."),
    ("mlp.fc1_x.", "fc1."),
    ("mlp.up_proj.", "fc1."),
    ("mlp.fc1.", "fc1."),
    ("intermediate.dense.", "fc1."),
    ("mlp.w3.", "fc2."),
    ("mlp.down_proj.", "fc2."),
    ("mlp.fc2.", "fc2."),
    ("output.dense.", "fc2."),
];

/// Tensors that no feature needs: the training's mask token, heads and poolers, constants.
const UNUSED: &[&str] =
    &["mask_token", "embeddings.mask_token", "head.", "pooler.", "classifier.", "fc_norm.", "dino_head."];

/// Names of a checkpoint → ours.
pub(crate) fn rename(tensors: Tensors) -> Named {
    let teacher = tensors.0.keys().any(|key| key.starts_with("teacher."));
    let mut named = Named { layout: Layout::Original, tensors: BTreeMap::new(), unexpected: Vec::new() };
    for (key, tensor) in tensors.0 {
        if teacher && !key.starts_with("teacher.") {
            continue;
        }
        let bare = unwrapped(&key);
        named.layout = layout_hint(bare).unwrap_or(named.layout);
        match canonical(bare) {
            Some(name) => drop(named.tensors.insert(name, tensor)),
            None if unused(bare) => {}
            None => named.unexpected.push(key),
        }
    }
    named
}

fn unwrapped(key: &str) -> &str {
    let mut bare = key;
    while let Some(rest) = WRAPPERS.iter().find_map(|wrapper| bare.strip_prefix(wrapper)) {
        bare = rest;
    }
    bare
}

/// Names that only one code base has.
fn layout_hint(bare: &str) -> Option<Layout> {
    if bare.starts_with("embeddings.") {
        return Some(Layout::Transformers);
    }
    (bare == "reg_token").then_some(Layout::Timm)
}

fn unused(bare: &str) -> bool {
    bare.ends_with("bias_mask") || UNUSED.iter().any(|start| bare.starts_with(start))
}

fn canonical(bare: &str) -> Option<String> {
    if let Some((_, ours)) = SINGLE.iter().find(|(theirs, _)| *theirs == bare) {
        return Some((*ours).to_string());
    }
    if let Some(name) = replaced(bare, OUTSIDE) {
        return Some(name);
    }
    let rest = BLOCK.iter().find_map(|start| bare.strip_prefix(start))?;
    let (number, inside) = rest.split_once('.')?;
    let number: usize = number.parse().ok()?;
    Some(format!("blocks.{number}.{}", replaced(inside, INSIDE)?))
}

fn replaced(name: &str, rules: &[(&str, &str)]) -> Option<String> {
    let (ours, rest) = rules.iter().find_map(|(theirs, ours)| Some((ours, name.strip_prefix(theirs)?)))?;
    let whole = rest.is_empty() && !ours.ends_with('.');
    let part = ours.ends_with('.') && matches!(rest, "weight" | "bias");
    (whole || part).then(|| format!("{ours}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_code_bases_meet() {
        for (theirs, ours) in [
            ("blocks.3.attn.qkv.bias", "blocks.3.qkv.bias"),
            ("blocks.0.gamma_2", "blocks.0.ls2"),
            ("encoder.layer.11.attention.attention.key.weight", "blocks.11.k.weight"),
            ("model.layer.2.mlp.gate_proj.bias", "blocks.2.gate.bias"),
            ("layers.1.attention.o_proj.weight", "blocks.1.proj.weight"),
            ("teacher.backbone.blocks.1.mlp.w3.weight", "blocks.1.fc2.weight"),
            ("embeddings.patch_embeddings.projection.bias", "patch.bias"),
            ("storage_tokens", "register_tokens"),
        ] {
            assert_eq!(canonical(unwrapped(theirs)).as_deref(), Some(ours), "{theirs}");
        }
        for odd in
            ["blocks.x.norm1.weight", "blocks.0.attn.qkv.scale", "blocks.0.ls1.gamma.x", "layernorm.running_mean"]
        {
            assert_eq!(canonical(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_teacher_is_preferred_to_its_student() {
        let tensor = |v: f32| Tensor { shape: vec![1], values: vec![v] };
        let tensors = [("teacher.cls_token", 1.0), ("student.cls_token", 2.0)];
        let named = rename(Tensors(tensors.map(|(k, v)| (k.to_string(), tensor(v))).into_iter().collect()));
        assert_eq!(named.tensors["cls_token"].values, [1.0]);
        assert!(named.unexpected.is_empty());
    }
}
