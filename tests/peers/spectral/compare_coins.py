"""The recipe `coins` and `segcut cluster` beside scikit-learn's coin segmentation.

    python compare_coins.py SEGCUT COINS.png

COINS.png is skimage.data.coins() as a file. Prints, for each assignment: the adjusted Rand index of both label images,
both N-cuts on scikit-learn's graph, and CPU seconds: scikit-learn's call alone, segcut's whole process (decoding, graph,
eigenvectors, labels, pictures). `cluster` reads scikit-learn's own graph and is compared on it.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np
import scipy.io
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.transform import rescale
from sklearn.cluster import spectral_clustering
from sklearn.feature_extraction import image
from sklearn.metrics import adjusted_rand_score

segcut, picture = sys.argv[1:]
coins = np.array(Image.open(picture))
small = rescale(gaussian_filter(coins, sigma=2), 0.2, mode="reflect", anti_aliasing=False)
graph = image.img_to_graph(small)
graph.data = np.exp(-10 * graph.data / graph.data.std()) + 1e-6
weights = graph.tocsr()
weights.setdiag(0)
weights.eliminate_zeros()


def ncut(labels):
    degrees = np.asarray(weights.sum(1)).ravel()
    parts = [labels == c for c in np.unique(labels)]
    return sum(weights[p][:, ~p].sum() / degrees[p].sum() for p in parts)


def run(*args):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([segcut, *args, "-q", "--threads", "1"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


print("assignment   ARI recipe / cluster   N-cut scikit-learn / recipe / cluster   CPU s")
with tempfile.TemporaryDirectory() as folder:
    matrix = os.path.join(folder, "coins.mtx")
    scipy.io.mmwrite(matrix, weights, symmetry="symmetric", precision=17)
    for assign in ("kmeans", "discretize", "cluster_qr"):
        start = time.process_time()
        theirs = spectral_clustering(graph, n_clusters=29, eigen_tol=1e-7, assign_labels=assign, random_state=42)
        seconds = [time.process_time() - start]
        table = os.path.join(folder, "labels.csv")
        seconds.append(run("segment", picture, "-o", folder, "--recipe", "coins", "--set", f"cluster.assign={assign}"))
        seconds.append(run("cluster", matrix, "-o", table, "--k", "29", "--assign", assign))
        name = os.path.splitext(os.path.basename(picture))[0] + ".labels.png"
        large = np.array(Image.open(os.path.join(folder, name)))
        rows, columns = [(2 * np.arange(s) + 1) * f // (2 * s) for s, f in zip(small.shape, large.shape)]
        recipe = large[np.ix_(rows, columns)].ravel()
        cluster = np.loadtxt(table, delimiter=",", skiprows=1, dtype=int)[:, 1]
        ari = [adjusted_rand_score(theirs, ours) for ours in (recipe, cluster)]
        cuts = [ncut(labels) for labels in (theirs, recipe, cluster)]
        print(f"{assign:12} {ari[0]:.4f} / {ari[1]:.4f}        {cuts[0]:.6f} / {cuts[1]:.6f} / {cuts[2]:.6f}        ",
              " / ".join(f"{s:.2f}" for s in seconds))
