"""Cut values of random weighted graphs from their definitions on dense matrices (numpy only).

Writes graphs.csv, one line a record: `graph,n,k`, `edge,u,v,w`, `labels,...`, `values,ncut,rcut,ncc,rcc,
conductance,modularity,cut_total` (d_i = row sums, cut(C) = weight from C to the rest).
"""
import numpy as np

rng = np.random.default_rng(3)
out = open("graphs.csv", "w")
for n, k in ((6, 2), (12, 3), (25, 4), (40, 2)):
    W = np.triu(rng.random((n, n)) * (rng.random((n, n)) < 0.3), 1)
    lab = np.concatenate([np.arange(k), rng.integers(0, k, n - k)])
    out.write(f"graph,{n},{k}\n")
    for u, v in zip(*np.nonzero(W)):
        out.write(f"edge,{u},{v},{W[u, v]:.17g}\n")
    W = W + W.T
    d = W.sum(1)
    one = np.eye(k)[lab]
    size, vol, inn = one.sum(0), one.T @ d, np.diag(one.T @ W @ one)
    cut = np.array([W[lab == c][:, lab != c].sum() for c in range(k)])
    V = d.sum()
    safe = lambda a, b: np.where(b > 0, a / np.where(b > 0, b, 1), 0)
    nv, rv = safe(cut, vol), cut / size
    values = [nv.sum(), rv.sum(), nv.max(), rv.max(), safe(cut, np.minimum(vol, V - vol)).mean(),
              (inn / V - (vol / V) ** 2).sum(), cut.sum() / 2]
    out.write("labels," + ",".join(map(str, lab)) + "\n")
    out.write("values," + ",".join(f"{v:.17g}" for v in values) + "\n")
open("versions.txt", "w").write(f"numpy {np.__version__}\n")
