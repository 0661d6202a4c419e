"""Losses per epoch of DeepCut's network in PyTorch, written as dense products, for crates/segcut-neural.

Formulas as published (DeepCut, ICCVW 2023): W = max(F·Ft, 0) / max for the cut, F·Ft - max / alpha for correlation;
the convolution reads the positive entries, a missing diagonal counts 1; ELU, ELU, softmax; AdamW with its defaults and
step 1e-3; no dropout. Double precision, so that the tolerance of the test is that of single precision alone.

    pip install -r versions.txt && python generate.py
"""

import json

import torch
from torch import nn

N, D, K, HIDDEN, EPOCHS, ALPHA = 24, 6, 3, (8, 5), 40, 3.0


def propagation(w):
    a = torch.clamp(w, min=0)
    diagonal = torch.diagonal(a)
    a = a + torch.diag(torch.where(diagonal > 0, torch.zeros_like(diagonal), torch.ones_like(diagonal)))
    root = a.sum(1).rsqrt()
    return root[:, None] * a * root[None, :]


def cut_loss(w, s):
    cut = -torch.trace(s.T @ w @ s) / torch.trace(s.T @ torch.diag(w.sum(1)) @ s)
    gram = s.T @ s
    return cut + torch.linalg.norm(gram / torch.linalg.norm(gram) - torch.eye(K) / K**0.5)


def correlation_loss(w, s):
    return -torch.trace(s.T @ w @ s)


def run(f, w, loss):
    torch.manual_seed(11)
    layers = [nn.Linear(D, HIDDEN[0]), nn.Linear(HIDDEN[0], HIDDEN[1]), nn.Linear(HIDDEN[1], K)]
    start = [{"matrix": layer.weight.T.tolist(), "bias": layer.bias.tolist()} for layer in layers]
    optimiser = torch.optim.AdamW([p for layer in layers for p in layer.parameters()], lr=1e-3)
    x, losses = propagation(w) @ f, []
    for _ in range(EPOCHS):
        hidden = nn.functional.elu(layers[1](nn.functional.elu(layers[0](x))))
        value = loss(w, torch.softmax(layers[2](hidden), dim=1))
        losses.append(value.item())
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
    return {"start": start, "losses": losses}


def main():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(5)
    centers = torch.randn(K, D)
    f = (centers[torch.arange(N) % K] + 0.5 * torch.randn(N, D)).float().double()
    g = f @ f.T
    positive = torch.clamp(g, min=0)
    result = {
        "features": f.tolist(),
        "alpha": ALPHA,
        "ncut": run(f, positive / positive.max(), cut_loss),
        "correlation": run(f, g - g.max() / ALPHA, correlation_loss),
    }
    with open("losses.json", "w") as out:
        json.dump(result, out)


if __name__ == "__main__":
    main()
