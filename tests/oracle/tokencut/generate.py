"""Graphs and cuts of TokenCut and Deep Spectral Methods on the patches of a small drawn image.

Run here with numpy and scipy (versions in versions.txt), from the published formulas. Writes
  keys.csv     rows*cols rows of 8 numbers;  colors.csv  rows*cols rows of 3 numbers of 8 bits
  tokencut.csv rows*cols rows: second eigenvector of (D - W) y = l D y (largest entry positive), mask
  spectral.csv u, v, weight of Deep Spectral Methods' W (u < v, weights above 0);  eigenvalues.csv its 8 smallest
"""
import numpy as np
import scipy
from scipy.linalg import eigh
from scipy.ndimage import label
from scipy.spatial import cKDTree

rng = np.random.default_rng(11)
ROWS, COLS = 8, 11
n = ROWS * COLS
row, col = np.divmod(np.arange(n), COLS)
part = np.where((row >= 2) & (row < 6) & (col >= 3) & (col < 7), 1, np.where((row >= 4) & (col >= 9), 2, 0))
# The third part is like the first object, but lies apart: TokenCut's component leaves it out.
centers = np.array([[2.0, 0.3, 0, 0, 0.2, 0, 0, 0], [0, 2.0, 0.5, 0, 0, 0, 0.3, 0], [0, 1.8, 0.7, 0, 0, 0.2, 0.3, 0]])
keys = (centers[part] + rng.normal(0, 0.35, (n, 8))).astype(np.float32)
shades = np.array([[180, 190, 120], [60, 40, 90], [70, 50, 90]])
colors = np.clip(shades[part] + rng.integers(-20, 21, (n, 3)), 0, 255).astype(np.uint8)
np.savetxt("keys.csv", keys, "%.9g", delimiter=",")
np.savetxt("colors.csv", colors, "%d", delimiter=",")

unit = keys / np.linalg.norm(keys, axis=1, keepdims=True)
cosine = unit @ unit.T
# TokenCut: 1 above 0.2, else 1e-5, the diagonal included.
w = np.where(cosine > 0.2, 1.0, 1e-5).astype(np.float64)
d = np.diag(w.sum(1))
y = eigh(d - w, d, subset_by_index=[1, 1])[1][:, 0]
seed = np.argmax(np.abs(y))
y = y * np.sign(y[seed])
pieces, _ = label((y > y.mean()).reshape(ROWS, COLS))
mask = (pieces == pieces.ravel()[seed]).ravel()
np.savetxt("tokencut.csv", np.column_stack([y, mask]), ["%.17g", "%d"], delimiter=",")

# Deep Spectral Methods: clipped cosines over the largest, and 10 times the k-nearest-neighbour counts of both directions.
feature = np.maximum(cosine, 0)
feature /= feature.max()
links = np.zeros((n, n))
x, yy = np.tile(np.linspace(0, 1, COLS), ROWS), np.repeat(np.linspace(0, 1, ROWS), COLS)
for k, weight in ((20, 2.0), (10, 0.1)):
    points = np.column_stack([colors / 255.0, weight * yy, weight * x])
    _, near = cKDTree(points).query(points, k)
    for i in range(n):
        for j in near[i]:
            links[i, j] += 1
            links[j, i] += 1
w = feature + 10 * links
rows = [(u, v, w[u, v]) for u in range(n) for v in range(u + 1, n) if w[u, v] > 0]
np.savetxt("spectral.csv", np.array(rows), ["%d", "%d", "%.9g"], delimiter=",")
# The diagonal is the same for every patch, 1 + 10 * (2 + 2), up to rounding.
assert np.allclose(np.diag(w), 41)
d = np.diag(w.sum(1))
np.savetxt("eigenvalues.csv", eigh(d - w, d, subset_by_index=[0, 7])[0], "%.12g")
open("versions.txt", "w").write(f"numpy {np.__version__}\nscipy {scipy.__version__}\n")
