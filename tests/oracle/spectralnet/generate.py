"""Kernels, losses and gradients of the authors' package on drawn numbers.

Writes components.json beside this file. Needs the packages of versions.txt; plotting is not used and is left out.
"""

import importlib.metadata as metadata
import json
import pathlib
import sys
import types

for name in ["matplotlib", "matplotlib.pyplot", "matplotlib.colors"]:
    sys.modules.setdefault(name, types.ModuleType(name))
sys.modules["matplotlib"].pyplot = sys.modules["matplotlib.pyplot"]
sys.modules["matplotlib"].colors = sys.modules["matplotlib.colors"]

import numpy as np
import torch
from spectralnet._losses import SpectralNetLoss
from spectralnet._models import SpectralNetModel
from spectralnet._utils import compute_scale, get_gaussian_kernel, get_nearest_neighbors

HERE = pathlib.Path(__file__).parent
torch.manual_seed(7)


def rows(tensor):
    return np.asarray(tensor.detach() if torch.is_tensor(tensor) else tensor, dtype=float).tolist()


def kernels(x, neighbors, scale_k):
    distances = torch.cdist(x, x)
    near, ids = get_nearest_neighbors(x, k=neighbors + 1)
    found = {"neighbors": neighbors, "scale_k": scale_k}
    for name, local in [("local", True), ("global", False)]:
        scale = compute_scale(near, k=scale_k, is_local=local)
        w = get_gaussian_kernel(distances, scale, ids, torch.device("cpu"), local)
        found[name] = {"scale": rows(np.atleast_1d(scale)), "w": rows(w)}
    return found


def step(model, x, w, through, rate=None):
    """Loss and gradients; with a rate also the parameters after one step of Adam."""
    model.zero_grad()
    y = model(x, should_update_orth_weights=True)
    if not through:
        model.orthonorm_weights = model.orthonorm_weights.detach()
        y = model(x, should_update_orth_weights=False)
    loss = SpectralNetLoss()(w, y)
    loss.backward()
    found = {"loss": loss.item(), "gradients": [rows(p.grad) for p in model.parameters()]}
    if rate:
        torch.optim.Adam(model.parameters(), lr=rate).step()
        found["after"] = [rows(p) for p in model.parameters()]
    return found


def main():
    x = torch.randn(24, 3)
    found = {"x": rows(x), **kernels(x, 5, 4)}
    w = torch.tensor(found["global"]["w"], dtype=torch.float32)
    model = SpectralNetModel([8, 4], 3)
    # Far from orthonormal columns make the weights of the last layer matter.
    outputs = torch.randn(24, 4) @ torch.tensor([[1.0, 0.5, 0, 0], [0, 1, 0, 0.2], [0, 0, 2, 0], [0.3, 0, 0, 0.5]])
    weights = model._make_orthonorm_weights(outputs)
    found["outputs"], found["weights"] = rows(outputs), rows(weights)
    found["loss"] = SpectralNetLoss()(w, outputs @ weights).item()
    model = model.double()
    x, w = x.double(), w.double()
    found["parameters"] = [rows(p) for p in model.parameters()]
    found["fixed"] = step(model, x, w, through=False)
    found["through"] = step(model, x, w, through=True, rate=1e-3)
    (HERE / "components.json").write_text(json.dumps(found) + "\n")
    versions = ["spectralnet", "torch", "numpy", "scikit-learn"]
    (HERE / "versions.txt").write_text("".join(f"{v} {metadata.version(v)}\n" for v in versions))


main()
