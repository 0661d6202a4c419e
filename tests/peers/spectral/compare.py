"""scikit-learn and scikit-image beside segcut-spectral, alternating in one run.

    cargo build --release -p segcut-spectral --examples
    python tests/peers/spectral/compare.py [EXAMPLES] [--rounds 3] [--threads 1] [--only regions|coins]

1. The coin example (pixel grid, 29 vectors) at scales 0.2, 0.5 and 1.0: scikit-learn's arpack embedding and its three
   assignments, against `time_grid` at a residual of 1e-3 of the 29th eigenvalue, at 1e-12, and by `fast`.
2. Region graphs of scikit-image's photographs: `cut_normalized` and scipy's shift-invert (10 vectors, to its own
   tolerance of rounding), against `time_ncut` at 1e-6 and at 1e-12.
Both sides get the same number of threads. Each figure is the smallest of the rounds: CPU seconds of all threads / elapsed
seconds. The load of the machine is printed.
EXAMPLES is the folder of the built examples (default target/release/examples).
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time

# Libraries read the number of threads when they are loaded.
threads = sys.argv[sys.argv.index("--threads") + 1] if "--threads" in sys.argv else "1"
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ[name] = threads

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


def timed(work):
    start = time.process_time(), time.perf_counter()
    result = work()
    return (time.process_time() - start[0], time.perf_counter() - start[1]), result


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
        theirs, ours, peaks = {}, {}, {}
        for _ in range(rounds):
            for setting in ("1e-3", "1e-12", "fast"):
                peaks[setting] = run_ours(examples, path, setting, ours)
            took, maps = timed(lambda: spectral_embedding(weights, n_components=29, drop_first=False, eigen_solver="arpack", random_state=42))
            keep(theirs, "embedding", took, "")
            for name, assign in {
                "cluster_qr": lambda: cluster_qr(maps),
                "discretize": lambda: discretize(maps, random_state=42),
                "kmeans": lambda: k_means(maps, 29, n_init=10, random_state=42)[1],
            }.items():
                took, labels = timed(assign)
                keep(theirs, name, took, f"{ncut(weights, labels):.4f}")
        print(f"coins {scale}: n = {small.size}, segcut's peak memory {peaks} MB")
        for name, (cpu, wall, value) in ours.items():
            peer = theirs[name.split()[0]]
            print(
                f"  {name:17} segcut {cpu:7.3f} / {wall:7.3f} s {value:8} scikit-learn {peer[0]:7.3f} / {peer[1]:7.3f} s {peer[2]:8}"
                f" ratio {peer[0] / max(cpu, 1e-3):.1f} / {peer[1] / max(wall, 1e-3):.1f}",
                flush=True,
            )


def run_ours(examples, path, setting, best):
    """Times of one run of `time_grid` into `best`; its peak memory in MB after the embedding."""
    tolerance = ["1e-6", "fast"] if setting == "fast" else [setting]
    command = [os.path.join(examples, "time_grid"), path, "29", *tolerance]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    pattern = r"(embedding|cluster_qr|discretize|kmeans) ([\d.]+) s wall ([\d.]+) s(?: N-cut ([\d.]+))?"
    for name, cpu, wall, value in re.findall(pattern, text):
        if setting == "1e-3" or name == "embedding" or (setting, name) == ("fast", "cluster_qr"):
            key = name if name != "embedding" and setting == "1e-3" else f"{name} {setting}"
            keep(best, key, (float(cpu), float(wall)), value)
    return int(re.search(r"peak (\d+) MB", text)[1])


def keep(best, name, took, value):
    old = best.get(name, (9e9, 9e9))
    best[name] = (min(old[0], took[0]), min(old[1], took[1]), value)


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
        solve = lambda: scipy.sparse.linalg.eigsh(laplacian, 10, sigma=-1e-5, which="LM", v0=np.ones(n))
        pairs, peer = {"1e-6": 9e9, "1e-12": 9e9}, 9e9
        for _ in range(rounds):
            for tol in pairs:
                text = subprocess.run([os.path.join(examples, "time_ncut"), path, "10", tol], capture_output=True, text=True, check=True).stdout
                recursive, took = map(float, re.search(r"recursive ([\d.]+) ms; 10 pairs ([\d.]+) ms", text).groups())
                pairs[tol] = min(pairs[tol], took)
            peer = min([peer] + [1e3 * timed(solve)[0][1] for _ in range(20)])
        print(
            f"regions {n} ({len(upper)} edges): 10 vectors segcut {pairs['1e-6']:.2f} ms, to 1e-12 {pairs['1e-12']:.2f} ms,"
            f" scipy {peer:.2f} ms, ratio {peer / pairs['1e-6']:.1f}, {peer / pairs['1e-12']:.1f}",
            flush=True,
        )
        if n < 500:
            seconds = min(timed(lambda: graph.cut_normalized(labels, rag.copy(), rng=0))[0][1] for _ in range(rounds))
            print(f"  cut_normalized segcut {recursive:.2f} ms scikit-image {1e3 * seconds:.0f} ms ratio {1e3 * seconds / recursive:.0f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("examples", nargs="?", default="target/release/examples")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", choices=["regions", "coins"])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for part in (regions, coins):
            if arguments.only in (None, part.__name__):
                print(f"{arguments.threads} thread(s), load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
                part(arguments.examples, folder, arguments.rounds)
