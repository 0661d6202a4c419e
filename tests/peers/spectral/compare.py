"""scikit-learn and scikit-image beside segcut-spectral, alternating in one run, CPU seconds of one thread.

    cargo build --release -p segcut-spectral --examples
    OMP_NUM_THREADS=1 RAYON_NUM_THREADS=1 python tests/peers/spectral/compare.py [EXAMPLES] [--rounds 3]

1. The coin example (pixel grid, 29 vectors) at scales 0.2, 0.5 and 1.0: scikit-learn's arpack embedding and its three
   assignments, against `time_grid` at a residual of 1e-3 of the 29th eigenvalue and at 1e-12.
2. Region graphs of scikit-image's photographs: `cut_normalized` and scipy's shift-invert (10 vectors), against
   `time_ncut`.
Each figure is the smallest of the rounds. EXAMPLES is the folder of the built examples (default target/release/examples).
"""

import argparse
import os
import re
import subprocess
import tempfile
import time

import networkx as nx
import numpy as np
import scipy.ndimage
import scipy.sparse
import scipy.sparse.linalg
import skimage.data
import skimage.transform
from skimage import graph, segmentation
from sklearn.cluster import k_means
from sklearn.cluster._spectral import cluster_qr, discretize
from sklearn.feature_extraction import image
from sklearn.manifold import spectral_embedding


def cpu(work):
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def ncut(weights, labels):
    degree = np.asarray(weights.sum(0)).ravel()
    rows, columns = weights.nonzero()
    data = np.asarray(weights[rows, columns]).ravel()
    cut = np.bincount(labels[rows], data * (labels[rows] != labels[columns]), labels.max() + 1)
    return float((cut / np.bincount(labels, degree, labels.max() + 1)).sum())


def coins(examples, folder, rounds):
    smooth = scipy.ndimage.gaussian_filter(skimage.data.coins(), sigma=2)
    for scale in (0.2, 0.5, 1.0):
        small = skimage.transform.rescale(smooth, scale, mode="reflect", anti_aliasing=False)
        path = os.path.join(folder, "grid.txt")
        with open(path, "w") as file:
            file.write(f"{small.shape[0]} {small.shape[1]}\n")
            np.savetxt(file, small.ravel(), fmt="%.17g")
        weights = image.img_to_graph(small)
        weights.data = np.exp(-10 * weights.data / weights.data.std()) + 1e-6
        weights = weights.tocsr()
        weights.setdiag(0)
        weights.eliminate_zeros()
        theirs, ours = {}, {}
        for _ in range(rounds):
            for tol in ("1e-3", "1e-12"):
                text = subprocess.run([os.path.join(examples, "time_grid"), path, "29", tol], capture_output=True, text=True, check=True).stdout
                for name, seconds, *value in re.findall(r"(embedding|cluster_qr|discretize|kmeans) ([\d.]+) s(?: N-cut ([\d.]+))?", text):
                    key = f"{name} {tol}" if name == "embedding" else name
                    ours[key] = min(ours.get(key, (9e9,)), (float(seconds), value[0]))
            seconds, maps = cpu(lambda: spectral_embedding(weights, n_components=29, drop_first=False, eigen_solver="arpack", random_state=42))
            keep(theirs, "embedding", seconds, "")
            for name, assign in {
                "cluster_qr": lambda: cluster_qr(maps),
                "discretize": lambda: discretize(maps, random_state=42),
                "kmeans": lambda: k_means(maps, 29, n_init=10, random_state=42)[1],
            }.items():
                seconds, labels = cpu(assign)
                keep(theirs, name, seconds, f"{ncut(weights, labels):.4f}")
        print(f"coins {scale}: n = {small.size}")
        for name, (seconds, value) in ours.items():
            peer = theirs[name.split()[0]]
            print(f"  {name:17} segcut {seconds:7.3f} s {value:8} scikit-learn {peer[0]:7.3f} s {peer[1]:8} ratio {peer[0] / max(seconds, 1e-3):.1f}")


def keep(best, name, seconds, value):
    best[name] = min(best.get(name, (9e9, "")), (seconds, value))


def regions(examples, folder, rounds):
    for name, segments in (("astronaut", 400), ("coffee", 700), ("astronaut", 1500), ("coffee", 3200)):
        photo = getattr(skimage.data, name)()
        labels = segmentation.slic(photo, n_segments=segments, compactness=20, start_label=0)
        rag = graph.rag_mean_color(photo, labels, mode="similarity", sigma=2000.0)
        n = rag.number_of_nodes()
        weights = scipy.sparse.coo_array(nx.to_scipy_sparse_array(rag, nodelist=range(n), format="coo"))
        path = os.path.join(folder, "regions.edges")
        upper = sorted((int(u), int(v), float(w)) for u, v, w in zip(weights.row, weights.col, weights.data) if u < v)
        with open(path, "w") as file:
            file.write(f"{n}\n" + "".join(f"{u} {v} {w!r}\n" for u, v, w in upper))
        weights = weights.tocsc()
        scale = scipy.sparse.diags_array(1 / np.sqrt(weights.sum(0)))
        laplacian = (scipy.sparse.eye_array(n) - scale @ weights @ scale).tocsc()
        text = subprocess.run([os.path.join(examples, "time_ncut"), path, "10"], capture_output=True, text=True, check=True).stdout
        recursive, pairs = map(float, re.search(r"recursive ([\d.]+) ms; 10 pairs ([\d.]+) ms", text).groups())
        solve = lambda: scipy.sparse.linalg.eigsh(laplacian, 10, sigma=-1e-5, which="LM", v0=np.ones(n))
        scipy_ms = 1e3 * min(cpu(solve)[0] for _ in range(5 * rounds))
        print(f"regions {n}: 10 vectors segcut {pairs:.2f} ms scipy {scipy_ms:.2f} ms ratio {scipy_ms / pairs:.1f}")
        if n < 500:
            seconds = min(cpu(lambda: graph.cut_normalized(labels, rag.copy(), rng=0))[0] for _ in range(rounds))
            print(f"  cut_normalized segcut {recursive:.2f} ms scikit-image {1e3 * seconds:.0f} ms ratio {1e3 * seconds / recursive:.0f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("examples", nargs="?", default="target/release/examples")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        regions(arguments.examples, folder, arguments.rounds)
        coins(arguments.examples, folder, arguments.rounds)
