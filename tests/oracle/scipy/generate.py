"""Writes gaussian_filter.csv: scipy.ndimage.gaussian_filter with its defaults on small float images; and csc.npz: the
matrix [[1, 2], [0, 3]] by columns.

Made with numpy 2.x and scipy (version in the first line of the file). Each case is three lines:
height,width,sigma / input values / output values, row-major.
"""
import pathlib
import numpy as np
import scipy
import scipy.sparse
from scipy.ndimage import gaussian_filter

rng = np.random.default_rng(0)
lines = [f"# scipy {scipy.__version__}, numpy {np.__version__}"]
for height, width, sigma in [(5, 7, 0.5), (8, 6, 1.0), (1, 9, 1.0), (3, 2, 2.0), (12, 10, 3.3), (40, 3, 1.5)]:
    image = rng.random((height, width), dtype=np.float32).astype(np.float64)
    blurred = gaussian_filter(image, sigma)
    lines.append(f"{height},{width},{sigma}")
    lines += [",".join(f"{v:.9g}" for v in a.ravel()) for a in (image, blurred)]
(pathlib.Path(__file__).parent / "gaussian_filter.csv").write_text("\n".join(lines) + "\n")
scipy.sparse.save_npz(pathlib.Path(__file__).parent / "csc.npz", scipy.sparse.csc_array([[1.0, 2.0], [0.0, 3.0]]))
