"""Processor seconds of DeepCut's network, 100 epochs on 384 features: segcut and a dense PyTorch form, in turn.

    cargo build --release -p segcut-neural --example time_deepcut
    python tests/peers/deepcut/time_network.py target/release/examples/time_deepcut [THREADS]

The PyTorch form is the kindest one: propagated features computed once, the degree matrix as a vector.
"""

import resource
import subprocess
import sys
import time

import torch
from torch import nn

SIZES, REPEATS, EPOCHS = (400, 784, 1225, 3025), 3, 100


def run(n, k, cut):
    torch.manual_seed(0)
    f = torch.randn(n, 384)
    start = time.process_time()
    g = f @ f.T
    w = torch.clamp(g, min=0) / g.max() if cut else g - g.max() / 3
    a = torch.clamp(w, min=0)
    root = a.sum(1).rsqrt()
    x = (root[:, None] * a * root[None, :]) @ f
    degrees, eye = w.sum(1), torch.eye(k) / k**0.5
    net = nn.Sequential(
        nn.Linear(384, 64), nn.ELU(), nn.Linear(64, 32), nn.ELU(), nn.Dropout(0.25), nn.Linear(32, k), nn.Softmax(1)
    )
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3)
    for _ in range(EPOCHS):
        s = net(x)
        loss = -(s * (w @ s)).sum()
        if cut:
            gram = s.T @ s
            loss = loss / (degrees[:, None] * s * s).sum() + torch.linalg.norm(gram / torch.linalg.norm(gram) - eye)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return time.process_time() - start


def children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main():
    program = sys.argv[1]
    torch.set_num_threads(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    print("loss  nodes  segcut s  PyTorch s  ratio")
    for n in SIZES:
        for name, k in (("ncut", 2), ("cc", 10)):
            ours = children() / REPEATS
            subprocess.run([program, str(n), str(REPEATS), name], check=True)
            ours = children() / REPEATS - ours
            theirs = min(run(n, k, name == "ncut") for _ in range(REPEATS))
            print(f"{name:5} {n:5} {ours:9.3f} {theirs:10.3f} {theirs / ours:6.2f}", flush=True)


if __name__ == "__main__":
    main()
