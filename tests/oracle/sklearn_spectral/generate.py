"""scikit-learn's coin segmentation example at scale 0.2, and an epsilon graph of two moons.

coins_0.2.mtx.gz: image graph, weights exp(-10*gradient/std) + 1e-6, no diagonal; std is over all stored entries of
img_to_graph (every edge twice and the pixel values). coins_0.2.json: 36 smallest eigenvalues of I - D^-1/2 W D^-1/2 by a
dense solver, and the N-cut of each assignment. coins_0.2_{cluster_qr,discretize}.csv: label images, 29 clusters,
random_state 42. moons200.mtx: two moons of 100 points (numpy seed 1234), edges up to distance 0.4;
moons200_fiedler_labels.csv: the sign of the second eigenvector.
`python generate.py` makes the coins graph anew and checks it and its eigenvalues against the stored files.
"""

import gzip
import json

import numpy as np
import scipy.io
import scipy.linalg
import scipy.ndimage
import skimage.data
import skimage.transform
from sklearn.feature_extraction import image

coins = skimage.data.coins()
smooth = scipy.ndimage.gaussian_filter(coins, sigma=2)
small = skimage.transform.rescale(smooth, 0.2, mode="reflect", anti_aliasing=False)
graph = image.img_to_graph(small)
beta, eps = 10, 1e-6
graph.data = np.exp(-beta * graph.data / graph.data.std()) + eps
graph = graph.tocsr()
graph.setdiag(0)
graph.eliminate_zeros()
stored = scipy.io.mmread(gzip.open("coins_0.2.mtx.gz")).tocsr()
assert abs(graph - stored).max() < 1e-12
d = np.asarray(stored.sum(0)).ravel()
dense = np.eye(len(d)) - stored.toarray() / np.sqrt(np.outer(d, d))
values = scipy.linalg.eigh(dense, eigvals_only=True, subset_by_index=[0, 35])
expected = np.array(json.load(open("coins_0.2.json"))["eigenvalues_Lsym"])
print("largest difference of eigenvalues", abs(values - expected).max())
