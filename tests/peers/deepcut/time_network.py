"""Processor seconds (and wall seconds behind a slash) of DeepCut's network, 100 epochs on 384 features: segcut in f32 and
in 16-bit whole numbers, two dense PyTorch forms, and PyTorch Geometric as the published code calls it, in turn.

    cargo build --release -p segcut-neural --example time_deepcut
    python tests/peers/deepcut/time_network.py target/release/examples/time_deepcut [THREADS] [SIZE…]

"dense once" is the kindest form: features propagated once, the degree matrix as a vector. "dense" is the convolution as
layers write it, A·(X·M) in every epoch. PyTorch Geometric gets the positive entries of the dense W as edges with weights;
its time is that of a few epochs, scaled to 100. For N-cut features are drawn at random, so half of all pairs are edges;
for correlation, five groups of nodes share a part of their features, so a fifth is.
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

REPEATS, EPOCHS = 3, 100


def affinity(n, cut):
    torch.manual_seed(0)
    f = torch.randn(n, 384)
    if not cut:
        f += torch.randn(5, 384)[torch.arange(n) % 5]
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


def timed(run):
    """Processor and wall seconds of a call."""
    start = time.process_time(), time.perf_counter()
    run()
    return time.process_time() - start[0], time.perf_counter() - start[1]


def dense(n, k, cut, once):
    f, w = affinity(n, cut)
    a = torch.clamp(w, min=0)
    root = a.sum(1).rsqrt()
    a = root[:, None] * a * root[None, :]
    if once:
        net = nn.Sequential(nn.Linear(384, 64), head(k))
        x = a @ f
        return train(lambda: net(x), net.parameters(), w, cut, EPOCHS)
    linear, rest = nn.Linear(384, 64, bias=False), head(k)
    bias = nn.Parameter(torch.zeros(64))
    parameters = [*linear.parameters(), bias, *rest.parameters()]
    train(lambda: rest(a @ linear(f) + bias), parameters, w, cut, EPOCHS)


def geometric(n, k, cut):
    """Processor seconds of 100 epochs, from a few."""
    epochs = 5 if n <= 1225 else 1
    start = time.process_time()
    f, w = affinity(n, cut)
    edges = (w > 0).nonzero().T.contiguous()
    weights = w[edges[0], edges[1]]
    conv, net = GCN(384, 64, 1, act="elu"), head(k)
    parameters = [*conv.parameters(), *net.parameters()]
    before = time.process_time()
    train(lambda: net(conv(f, edges, edge_weight=weights)), parameters, w, cut, epochs)
    return (before - start) + (time.process_time() - before) * EPOCHS / epochs


def segcut(program, n, name, threads, precision):
    used = lambda: sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    before, start = used(), time.perf_counter()
    subprocess.run([program, str(n), "1", name, str(threads), precision], check=True)
    return used() - before, time.perf_counter() - start


def main():
    program, numbers = sys.argv[1], [int(word) for word in sys.argv[2:]]
    threads, sizes = (numbers or [1])[0], numbers[1:] or (400, 784, 1225, 3025)
    torch.set_num_threads(threads)
    print("| loss | nodes | segcut f32 | segcut i16 | dense once | ratios | dense | ratios | PyTorch Geometric | ratios |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for n in sizes:
        for name, k in (("ncut", 2), ("cc", 10)):
            cut = name == "ncut"
            forms = [lambda p=p: segcut(program, n, name, threads, p) for p in ("f32", "i16")]
            forms += [lambda once=once: timed(lambda: dense(n, k, cut, once)) for once in (True, False)]
            runs = [[form() for form in forms] for _ in range(REPEATS)]
            least = [[min(run[form][which] for run in runs) for which in (0, 1)] for form in range(len(forms))]
            cells = [f"{cpu:.3f} / {wall:.3f}" for cpu, wall in least]
            # ratios of processor time on one thread, of wall time on more
            which = [pair[threads > 1] for pair in least]
            ratios = [f"{other / which[0]:.1f}, {other / which[1]:.1f}" for other in which[2:]]
            row = [name, str(n), cells[0], cells[1], cells[2], ratios[0], cells[3], ratios[1]]
            if GCN and threads == 1:
                other = geometric(n, k, cut)
                row += [f"{other:.2f}", f"{other / which[0]:.0f}, {other / which[1]:.0f}"]
            print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
