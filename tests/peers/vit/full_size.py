"""Keys of full-size ViTs with random weights: segcut's against timm's, images read and resized included.

full_size.py SEGCUT [PATCH]   SEGCUT: the program; PATCH: 8 (default) or 16
Versions in requirements.txt. Prints, per image size, the largest difference of the keys of the last block and their
largest magnitude. The reference decodes and resizes with Pillow (bicubic), as the networks' authors do; `resized` says
whether the size had to change.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import timm
import torch
from PIL import Image
from safetensors.numpy import load_file
from safetensors.torch import save_file

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def network(patch):
    torch.manual_seed(1)
    net = timm.create_model(f"vit_small_patch{patch}_224.dino", pretrained=False, num_classes=0, dynamic_img_size=True)
    for name, value in net.named_parameters():
        # timm's own start leaves every token nearly the same.
        value.data = torch.randn_like(value) * 0.05 + (1.0 if "norm" in name and name.endswith("weight") else 0.0)
    return net.eval()


def keys(net, image, patch):
    width, height = (max(1, int(side / patch + 0.5)) * patch for side in image.size)
    resized = image if image.size == (width, height) else image.resize((width, height), Image.BICUBIC)
    pixels = torch.tensor(np.asarray(resized, np.float32) / 255.0)
    pixels = ((pixels - torch.tensor(MEAN)) / torch.tensor(STD)).permute(2, 0, 1)[None]
    found = []
    net.blocks[-1].attn.qkv.register_forward_hook(lambda _, __, out: found.append(out))
    with torch.inference_mode():
        net(pixels)
    net.blocks[-1].attn.qkv._forward_hooks.clear()
    width = found[0].shape[-1] // 3
    return found[0][0, 1:, width:2 * width].numpy()


def main():
    segcut, patch = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 8
    net = network(patch)
    rng = np.random.default_rng(3)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        save_file({k: v.contiguous() for k, v in net.state_dict().items()}, folder / "net.safetensors")
        for width, height in ((224, 224), (200, 150)):
            coarse = Image.fromarray(rng.integers(0, 256, (9, 12, 3), np.uint8)).resize((width, height), Image.BICUBIC)
            coarse.save(folder / "image.png")
            cache = folder / f"cache{width}"
            command = [segcut, "segment", folder / "image.png", "-o", folder / "out", "--recipe", "tokencut",
                       "--set", f"features.0.weights={folder / 'net.safetensors'}",
                       # timm and the authors interpolate positions otherwise: here timm is asked.
                       "--set", "features.0.positions=antialiased", "--feature-cache", cache, "-q"]
            subprocess.run(command, check=True)
            ours = load_file(next(cache.rglob("*.safetensors")))["vit"]
            reference = keys(net, coarse, patch).reshape(ours.shape)
            resized = width % patch > 0 or height % patch > 0
            print(f"{width}x{height} patch {patch} resized {resized}: largest difference {np.abs(ours - reference).max():.2e}"
                  f" of {np.abs(reference).max():.2f}")


main()
