"""Writes small .mat files in the form of BSDS500's ground truth, with scipy.io.savemat.

Run: python generate.py   (scipy 1.16 or later; the files change with zlib's version, their content does not)

bsds_zlib.mat   compressed, as BSDS500: cell array 1x2 groundTruth{k}.Segmentation uint16, .Boundaries logical
bsds_plain.mat  the same, not compressed, after another variable; Segmentation double
"""

import numpy as np
from scipy.io import savemat


def truth(dtype):
    rows, columns = np.mgrid[0:3, 0:5]
    cells = np.empty((1, 2), dtype=object)
    for k, labels in enumerate([1 + (columns > 1) + 2 * (rows > 1), 1 + (columns + rows) % 3]):
        boundaries = (labels != np.roll(labels, -1, axis=1)) & (columns < 4)
        cells[0, k] = {"Segmentation": labels.astype(dtype), "Boundaries": boundaries}
    return cells


savemat("bsds_zlib.mat", {"groundTruth": truth(np.uint16)}, do_compression=True)
savemat("bsds_plain.mat", {"about": "x", "other": np.array([-1.5]), "groundTruth": truth(np.float64)})
