"""Losses of DMoN and MinCut pooling with their gradients on Zachary's karate club, by PyTorch in double precision.

DMoN (Tsitsulin et al. 2023, eq. 3): -Tr(C'BC)/2m + (sqrt k / n) * |sum_i C_i| - 1, B = A - dd'/2m.
MinCut (Bianchi et al. 2020, eq. 9): -Tr(S'AS)/Tr(S'DS) + |S'S/|S'S| - I/sqrt k|.
"""
import json

import networkx
import torch

graph = networkx.karate_club_graph()
edges = sorted([min(u, v), max(u, v)] for u, v in graph.edges())
n, k = graph.number_of_nodes(), 4
a = torch.zeros(n, n, dtype=torch.float64)
for u, v in edges:
    a[u, v] = a[v, u] = 1
torch.manual_seed(0)
start = torch.softmax(torch.randn(n, k, dtype=torch.float64), 1)
d = a.sum(1)


def dmon(c):
    b = a - torch.outer(d, d) / d.sum()
    return -(c.T @ b @ c).trace() / d.sum() + k**0.5 / n * c.sum(0).norm() - 1


def mincut(s):
    ss = s.T @ s
    cut = -(s.T @ a @ s).trace() / (s.T @ torch.diag(d) @ s).trace()
    return cut + (ss / ss.norm() - torch.eye(k, dtype=torch.float64) / k**0.5).norm()


out = {"edges": edges, "C": start.tolist()}
for name, loss in (("dmon", dmon), ("mincut", mincut)):
    c = start.clone().requires_grad_(True)
    value = loss(c)
    value.backward()
    out[name] = {"loss": value.item(), "gradient": c.grad.tolist()}
with open("karate.json", "w") as file:
    json.dump(out, file)
