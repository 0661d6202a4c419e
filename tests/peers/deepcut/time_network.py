"""Processor seconds of DeepCut's network, 100 epochs on 384 features: segcut, a dense PyTorch form and PyTorch
Geometric as the published code calls it, in turn.

    cargo build --release -p segcut-neural --example time_deepcut
    python tests/peers/deepcut/time_network.py target/release/examples/time_deepcut [THREADS] [SIZE…]

The dense form is the kindest one: propagated features computed once, the degree matrix as a vector. PyTorch Geometric
gets the positive entries of the dense W as edges with weights; its time is that of GEOMETRIC epochs, scaled to 100.
It is left out above 1,225 nodes, and for correlation, where features drawn at random leave no edges.
"""

import os
import resource
import subprocess
import sys
import time

import torch
from torch import nn

try:
    from torch_geometric.nn import GCN
except ImportError:
    GCN = None

REPEATS, EPOCHS, GEOMETRIC, LARGEST = 3, 100, 5, 1225


def affinity(n, cut):
    torch.manual_seed(0)
    f = torch.randn(n, 384)
    g = f @ f.T
    return f, torch.clamp(g, min=0) / g.max() if cut else g - g.max() / 3


def loss_of(w, degrees, s, cut):
    loss = -(s * (w @ s)).sum()
    if cut:
        k = s.shape[1]
        gram = s.T @ s
        volume = (degrees[:, None] * s * s).sum()
        loss = loss / volume + torch.linalg.norm(gram / torch.linalg.norm(gram) - torch.eye(k) / k**0.5)
    return loss


def train(network, parameters, w, cut, epochs):
    degrees = w.sum(1)
    optimiser = torch.optim.AdamW(parameters, lr=1e-3)
    for _ in range(epochs):
        loss = loss_of(w, degrees, network(), cut)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def head(k):
    return nn.Sequential(nn.ELU(), nn.Linear(64, 32), nn.ELU(), nn.Dropout(0.25), nn.Linear(32, k), nn.Softmax(1))


def dense(n, k, cut):
    start = time.process_time()
    f, w = affinity(n, cut)
    a = torch.clamp(w, min=0)
    root = a.sum(1).rsqrt()
    x = (root[:, None] * a * root[None, :]) @ f
    net = nn.Sequential(nn.Linear(384, 64), head(k))
    train(lambda: net(x), net.parameters(), w, cut, EPOCHS)
    return time.process_time() - start


def geometric(n, k, cut):
    start = time.process_time()
    f, w = affinity(n, cut)
    edges = (w > 0).nonzero().T.contiguous()
    weights = w[edges[0], edges[1]]
    conv, net = GCN(384, 64, 1, act="elu"), head(k)
    parameters = [*conv.parameters(), *net.parameters()]
    before = time.process_time()
    train(lambda: net(conv(f, edges, edge_weight=weights)), parameters, w, cut, GEOMETRIC)
    return (before - start) + (time.process_time() - before) * EPOCHS / GEOMETRIC


def segcut(program, n, name, threads):
    used = lambda: sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    before = used()
    subprocess.run([program, str(n), "1", name], check=True, env={**os.environ, "RAYON_NUM_THREADS": str(threads)})
    return used() - before


def main():
    program, numbers = sys.argv[1], [int(word) for word in sys.argv[2:]]
    threads, sizes = (numbers or [1])[0], numbers[1:] or (400, 784, 1225, 3025)
    torch.set_num_threads(threads)
    print("loss  nodes  segcut s  dense s  ratio  geometric s  ratio")
    for n in sizes:
        for name, k in (("ncut", 2), ("cc", 10)):
            cut = name == "ncut"
            pairs = [(segcut(program, n, name, threads), dense(n, k, cut)) for _ in range(REPEATS)]
            ours, theirs = (min(column) for column in zip(*pairs))
            line = f"{name:5} {n:5} {ours:9.3f} {theirs:8.3f} {theirs / ours:6.2f}"
            if GCN and cut and n <= LARGEST:
                other = geometric(n, k, cut)
                line += f" {other:12.2f} {other / ours:6.0f}"
            print(line, flush=True)


if __name__ == "__main__":
    main()
