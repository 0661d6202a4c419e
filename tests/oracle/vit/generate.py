"""Activations of small random vision transformers, by timm and transformers.

Weights and pixels follow a formula that the test repeats, so only the names and shapes of the tensors
(as the libraries save them) and the results are stored. Versions: see versions.txt.

    python generate.py   (writes CASE.json and CASE.safetensors beside itself)
"""
import json
import math
import sys
import tempfile
from pathlib import Path

import numpy as np
import safetensors.numpy
import timm
import torch
import transformers
from timm.models.vision_transformer import VisionTransformer

HERE = Path(__file__).parent
DIM, DEPTH, HEADS = 128, 2, 2


def formula(name: str, count: int) -> np.ndarray:
    """Uniform numbers in [-1, 1) from the FNV-1a hash of a name and splitmix64 of the index."""
    seed = np.uint64(0xCBF29CE484222325)
    with np.errstate(over="ignore"):
        for byte in name.encode():
            seed = (seed ^ np.uint64(byte)) * np.uint64(0x100000001B3)
        z = seed + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return ((z >> np.uint64(40)).astype(np.float64) / 2.0**23 - 1.0).astype(np.float32)


def weights(name: str, shape) -> np.ndarray:
    """Norm scales near 1, everything else within ±0.2; the test has the same rule."""
    values = formula(name, math.prod(shape)).reshape(shape)
    scale = len(shape) == 1 and name.endswith("weight")
    return (1.0 + 0.2 * values if scale else 0.2 * values).astype(np.float32)


def pixels(height: int, width: int) -> torch.Tensor:
    return torch.from_numpy(formula("pixels", 3 * height * width).reshape(1, 3, height, width))


def fill(saved: dict) -> dict:
    return {k: torch.from_numpy(weights(k, tuple(v.shape))) for k, v in saved.items()}


def record(case: str, meta: dict, sizes, run):
    """run(pixels, stride) -> dict of arrays, for every size (height, width, stride)."""
    arrays = {}
    for height, width, stride in sizes:
        for key, value in run(pixels(height, width), stride).items():
            arrays[f"{height}x{width}s{stride}.{key}"] = np.ascontiguousarray(value.detach().numpy()[0], dtype=np.float32)
    (HERE / f"{case}.json").write_text(json.dumps(meta))
    safetensors.numpy.save_file(arrays, HERE / f"{case}.safetensors")
    print(case, sum(a.nbytes for a in arrays.values()))


class Taps:
    """Outputs of modules, kept by name."""

    def __init__(self, modules: dict):
        self.out = {}
        for name, module in modules.items():
            module.register_forward_hook(lambda m, i, o, name=name: self.out.__setitem__(name, o[0] if isinstance(o, tuple) else o))


def class_attention(q, k, prefix, rope=None):
    """Softmax of the class token's scores, mean over heads, patches only; q, k are B x N x DIM."""
    split = lambda t: t.reshape(t.shape[0], t.shape[1], HEADS, DIM // HEADS).transpose(1, 2)
    q, k = split(q), split(k)
    if rope is not None:
        k = torch.cat([k[:, :, :prefix], rope(k[:, :, prefix:])], dim=2)
    scores = (q[:, :, :1] @ k.transpose(-2, -1)) / math.sqrt(DIM // HEADS)
    return scores.softmax(-1).mean(1)[:, 0, prefix:]


def same(model):
    """Tensors as timm saves them: names to shapes, and the values of timm's own names."""
    shapes = {k: list(v.shape) for k, v in model.state_dict().items()}
    return shapes, {k: weights(k, shape) for k, shape in shapes.items()}


def original_v2_registers(model):
    """The authors' names: registers named otherwise, and a position for the class token."""
    shapes, values = same(model)
    shapes["register_tokens"] = shapes.pop("reg_token")
    values["reg_token"] = weights("register_tokens", shapes["register_tokens"])
    shapes["pos_embed"] = [1, shapes["pos_embed"][1] + 1, DIM]
    positions = weights("pos_embed", shapes["pos_embed"])
    values["pos_embed"], values["cls_token"] = positions[:, 1:], values["cls_token"] + positions[:, :1]
    shapes["mask_token"] = [1, DIM]
    return shapes, values


def original_v3(model):
    """The authors' names: one bias for query, key and value with the key's masked out, stored periods."""
    shapes, values = {}, {}
    for key, tensor in model.state_dict().items():
        if key.endswith("v_bias"):
            continue
        name = key.replace("reg_token", "storage_tokens").replace("gamma_1", "ls1.gamma").replace("gamma_2", "ls2.gamma")
        shape = list(tensor.shape)
        if key.endswith("q_bias"):
            name, shape = key.replace("q_bias", "qkv.bias"), [3 * DIM]
            bias = weights(name, shape)
            values[key], values[key.replace("q_bias", "v_bias")] = bias[:DIM], bias[2 * DIM:]
            shapes[name + "_mask"] = shape
        else:
            values[key] = weights(name, shape)
        shapes[name] = shape
    shapes["rope_embed.periods"], shapes["mask_token"] = [16], [1, DIM]
    return shapes, values


def timm_case(case, name, sizes, *, patch, native=4, tensors=same, positions=None):
    """A timm model, under the names that `tensors` gives it; `positions` replaces timm's interpolation."""
    model = timm.create_model(
        name, pretrained=False, num_classes=0, embed_dim=DIM, depth=DEPTH, num_heads=HEADS,
        img_size=native * patch, patch_size=patch, dynamic_img_size=True,
    ).eval()
    shapes, values = tensors(model)
    model.load_state_dict({k: torch.from_numpy(v) for k, v in values.items()})
    prefix, attn = model.num_prefix_tokens, model.blocks[-1].attn
    taps = Taps({"block": model.blocks[-1], "norm": model.blocks[-1].norm1})

    def run(x, stride):
        embed_and_run(model, x, stride, positions) if positions else model.forward_features(x)
        bias = attn.qkv.bias
        if getattr(attn, "q_bias", None) is not None:
            bias = torch.cat([attn.q_bias, torch.zeros(DIM), attn.v_bias])
        q, k, v = torch.nn.functional.linear(taps.out["norm"], attn.qkv.weight, bias).split(DIM, dim=-1)
        out = {"token": taps.out["block"], "key": k, "query": q, "value": v}
        if "dinov3" not in name:
            out["attention"] = class_attention(q, k, prefix)
        return out

    record(case, {"tensors": shapes, "prefix": prefix}, sizes, run)


def embed_and_run(model, x, stride, positions):
    """Patches at a stride with the positions that `positions` makes, then the blocks."""
    patch = model.patch_embed.patch_size[0]
    tokens = torch.nn.functional.conv2d(x, model.patch_embed.proj.weight, model.patch_embed.proj.bias, stride=stride)
    rows, cols = tokens.shape[-2:]
    prefix = 1 if model.no_embed_class is False else 0
    native = math.isqrt(model.pos_embed.shape[1] - prefix)
    grid = model.pos_embed[:, prefix:].reshape(1, native, native, DIM).permute(0, 3, 1, 2)
    if (rows, cols) != (native, native):
        grid = positions(grid, rows, cols, native)
    tokens = (tokens + grid).flatten(2).transpose(1, 2)
    front = model.cls_token + (model.pos_embed[:, :1] if prefix else 0)
    registers = [model.reg_token] if model.reg_token is not None else []
    tokens = torch.cat([front, *registers, tokens], dim=1)
    for block in model.blocks:
        tokens = block(tokens)


def offset(grid, rows, cols, native):
    """DINO's and DINOv2's own call."""
    scale = ((rows + 0.1) / native, (cols + 0.1) / native)
    return torch.nn.functional.interpolate(grid, scale_factor=scale, mode="bicubic")


def antialiased(grid, rows, cols, native):
    """DINOv2's own call where it has registers."""
    return torch.nn.functional.interpolate(grid, size=(rows, cols), mode="bicubic", antialias=True)


def hf_case(case, model, sizes, prefix, names):
    """A transformers model; `names` gives the modules of the last block's query, key and value maps."""
    model = model.eval()
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        saved = safetensors.numpy.load_file(Path(folder) / "model.safetensors")
        filled = {k: weights(k, v.shape) for k, v in saved.items()}
        safetensors.numpy.save_file(filled, Path(folder) / "model.safetensors", metadata={"format": "pt"})
        model = type(model).from_pretrained(folder, attn_implementation="eager", **names.pop("load", {})).eval()
    block = names["block"](model)
    taps = Taps({"token": block, "query": names["q"](block), "key": names["k"](block), "value": names["v"](block)})

    def run(x, stride):
        extra = {"interpolate_pos_encoding": True} if names.get("interpolate") else {}
        model(x, **extra)
        out = {k: taps.out[k] for k in ["token", "query", "key", "value"]}
        if names.get("attention", True):
            out["attention"] = class_attention(out["query"], out["key"], prefix)
        return out

    record(case, {"tensors": {k: list(v.shape) for k, v in filled.items()}, "prefix": prefix}, sizes, run)


def main():
    torch.manual_seed(0)
    (HERE / "versions.txt").write_text(
        f"python {sys.version.split()[0]}\ntorch {torch.__version__}\ntimm {timm.__version__}\n"
        f"transformers {transformers.__version__}\nsafetensors {safetensors.__version__}\n")
    s16 = [(64, 64, 16), (48, 80, 16), (96, 112, 16)]
    s14 = [(56, 56, 14), (42, 70, 14)]
    s16v3 = [(64, 64, 16), (48, 80, 16)]
    timm_case("timm_dino_s16", "vit_small_patch16_224.dino", s16[:1], patch=16)
    timm_case("original_dino_s16", "vit_small_patch16_224.dino", s16[1:] + [(48, 64, 8)], patch=16, positions=offset)
    timm_case("original_dino_s8", "vit_small_patch8_224.dino", [(40, 24, 8), (40, 24, 4)], patch=8, positions=offset)
    timm_case("original_dinov2", "vit_small_patch14_dinov2.lvd142m", s14, patch=14, positions=offset)
    reg4 = "vit_small_patch14_reg4_dinov2.lvd142m"
    timm_case("timm_dinov2_reg4", reg4, s14, patch=14)
    timm_case("original_dinov2_reg4", reg4, s14, patch=14, tensors=original_v2_registers, positions=antialiased)
    timm_case("timm_dinov3", "vit_small_patch16_dinov3.lvd1689m", s16v3, patch=16)
    timm_case("timm_dinov3_qkvb", "vit_small_patch16_dinov3_qkvb.lvd1689m", s16v3[1:], patch=16)
    timm_case("timm_dinov3_plus", "vit_small_plus_patch16_dinov3.lvd1689m", s16v3[1:], patch=16)
    timm_case("original_dinov3", "vit_small_patch16_dinov3_qkvb.lvd1689m", s16v3[1:], patch=16, tensors=original_v3)
    common = dict(hidden_size=DIM, num_hidden_layers=DEPTH, num_attention_heads=HEADS)
    maps = dict(q=lambda b: b.attention.q_proj, k=lambda b: b.attention.k_proj, v=lambda b: b.attention.v_proj)
    hf_case("hf_dino_s16", transformers.ViTModel(transformers.ViTConfig(
        patch_size=16, intermediate_size=4 * DIM, image_size=64, layer_norm_eps=1e-12, **common), add_pooling_layer=False),
        s16[:2], 1, dict(block=lambda m: m.layers[-1], interpolate=True, load=dict(add_pooling_layer=False), **maps))
    hf_case("hf_dinov2", transformers.Dinov2Model(transformers.Dinov2Config(patch_size=14, image_size=56, **common)),
            [(56, 56, 14), (42, 70, 14)], 1, dict(block=lambda m: m.encoder.layer[-1], **maps))
    hf_case("hf_dinov2_reg4", transformers.Dinov2WithRegistersModel(transformers.Dinov2WithRegistersConfig(
        patch_size=14, image_size=56, **common)), [(56, 56, 14), (42, 70, 14)], 5,
        dict(block=lambda m: m.encoder.layer[-1], **maps))
    for case, options in [("hf_dinov3", {}), ("hf_dinov3_plus", dict(use_gated_mlp=True, hidden_act="silu"))]:
        hf_case(case, transformers.DINOv3ViTModel(transformers.DINOv3ViTConfig(
            patch_size=16, image_size=64, intermediate_size=384, num_register_tokens=4, **options, **common)),
            [(64, 64, 16), (48, 80, 16)], 5, dict(block=lambda m: m.model.layer[-1], attention=False, **maps))


with torch.no_grad():
    main()
