"""Epsilon graphs of a page on spectral clustering from scratch: values of the true and of the Fiedler partition.

The points are data, not made here: two moons of 100 points (numpy seed 1234), two blobs (seed 1111), two rings of 500.
expected.csv, one line per graph: edges with distance <= eps; components; the truth's cut and normcut, both with every
cut edge counted twice, as that page does; the N-cut (cut edges once per cluster) of the sign of the second generalized
eigenvector, and of its best threshold (empty where the graph falls apart). moons200_fiedler.csv: the signs themselves.
"""

import gzip

import numpy as np
import scipy
from scipy.sparse.csgraph import connected_components


def read(name):
    opened = gzip.open(name, "rt") if name.endswith(".gz") else open(name)
    table = np.loadtxt(opened, delimiter=",", skiprows=1)
    return table[:, :2], table[:, 2].astype(int)


def ncut(w, labels):
    d = w.sum(1)
    return sum(w[labels == c][:, labels != c].sum() / d[labels == c].sum() for c in np.unique(labels))


rows = ["points,eps,edges,components,cut_twice,normcut_twice,fiedler_ncut,best_ncut"]
for name, eps in [
    ("moons200_points.csv", 0.4), ("blobs200_points.csv", 2.0),
    ("circles1000_points.csv.gz", 0.2), ("circles1000_points.csv.gz", 0.4),
    ("circles1000_points.csv.gz", 0.6), ("circles1000_points.csv.gz", 1.0),
]:
    points, truth = read(name)
    w = (np.linalg.norm(points[:, None] - points[None], axis=2) <= eps).astype(float)
    np.fill_diagonal(w, 0)
    d = w.sum(1)
    cut = 2 * w[truth == 0][:, truth == 1].sum()
    normcut = cut / d[truth == 0].sum() + cut / d[truth == 1].sum()
    components = connected_components(w)[0]
    values = ["", ""]
    if components == 1:
        vectors = scipy.linalg.eigh(np.diag(d) - w, np.diag(d), subset_by_index=[1, 1])[1][:, 0]
        order = np.sort(vectors)
        best = min(ncut(w, (vectors > t).astype(int)) for t in order[:-1])
        values = [repr(float(ncut(w, (vectors > 0).astype(int)))), repr(float(best))]
        if name.startswith("moons"):
            np.savetxt("moons200_fiedler.csv", (vectors > 0).astype(int), fmt="%d", header="label", comments="")
    numbers = [int(w.sum() / 2), components, repr(float(cut)), repr(float(normcut))]
    rows.append(",".join(map(str, [name, eps, *numbers, *values])))
open("expected.csv", "w").write("\n".join(rows) + "\n")
open("versions.txt", "w").write(f"numpy {np.__version__}\nscipy {scipy.__version__}\n")
