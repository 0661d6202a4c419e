"""scikit-learn's affinities of 30 points, and its graphs of small images.

points.csv: 30 points of 3 coordinates. edges.csv, one line per edge: case, u, v, weight. Cases: rbf (gamma 0.7); knn
(n_neighbors 5 with the point itself, (A + A')/2); radius (all pairs at most 0.9 apart); image, image_mask and volume:
img_to_graph of image.csv (5 x 6), of the same with its first row masked out, and of volume.csv (3 x 4 x 2, in reading
order), each with weights exp(-10 g/std) + 1e-6, std over all stored entries, and the diagonal left out.
"""

import numpy as np
import sklearn
from scipy.sparse import coo_matrix
from sklearn.feature_extraction.image import img_to_graph
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.neighbors import kneighbors_graph, radius_neighbors_graph

rng = np.random.default_rng(5)
points = rng.random((30, 3)) * 2
image = rng.random((5, 6))
volume = rng.random((3, 4, 2))
np.savetxt("points.csv", points, fmt="%.17g", delimiter=",")
np.savetxt("image.csv", image, fmt="%.17g", delimiter=",")
np.savetxt("volume.csv", volume.reshape(1, -1), fmt="%.17g", delimiter=",")


def exponential(graph):
    graph.data = np.exp(-10 * graph.data / graph.data.std()) + 1e-6
    return graph


knn = kneighbors_graph(points, 5, include_self=True)
mask = np.ones(image.shape, bool)
mask[0] = False
cases = {
    "rbf": rbf_kernel(points, gamma=0.7),
    "knn": 0.5 * (knn + knn.T),
    "radius": radius_neighbors_graph(points, 0.9),
    "image": exponential(img_to_graph(image)),
    "image_mask": exponential(img_to_graph(image, mask=mask)),
    "volume": exponential(img_to_graph(volume)),
}
rows = []
for name, matrix in cases.items():
    matrix = coo_matrix(matrix)
    edges = sorted((u, v, w) for u, v, w in zip(matrix.row, matrix.col, matrix.data) if u < v and w != 0)
    rows += [f"{name},{u},{v},{w:.17g}" for u, v, w in edges]
open("edges.csv", "w").write("case,u,v,weight\n" + "\n".join(rows) + "\n")
open("versions.txt", "w").write(f"scikit-learn {sklearn.__version__}\nnumpy {np.__version__}\n")
