"""Scores of superpixels against the segmentations of several annotators."""
import numpy as np
from PIL import Image
from scipy.ndimage import binary_dilation

DISK = np.add.outer(np.arange(-2, 3) ** 2, np.arange(-2, 3) ** 2) <= 4
NAMES = ("recall", "UE", "ASA", "compactness", "made")


def edges(labels):
    e = np.zeros(labels.shape, bool)
    e[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    e[:-1] |= labels[:-1] != labels[1:]
    e[:-1, :-1] |= labels[:-1, :-1] != labels[1:, 1:]
    return e


def compactness(labels):
    """Area over that of the disk with the same perimeter (Schick et al. 2012), weighted by area."""
    area = np.bincount(labels.ravel())
    framed = np.pad(labels, 1, constant_values=-1)
    inner = framed[1:-1, 1:-1]
    sides = sum((inner != other).astype(int) for other in
                (framed[:-2, 1:-1], framed[2:, 1:-1], framed[1:-1, :-2], framed[1:-1, 2:]))
    perimeter = np.bincount(labels.ravel(), sides.ravel())
    used = area > 0
    return (4 * np.pi * area[used] ** 2 / perimeter[used] ** 2).sum() / labels.size


def score(labels, truth):
    """Boundary recall within 2 px, undersegmentation error (Neubert & Protzel) and achievable segmentation
    accuracy, means over the annotators; compactness; regions made."""
    labels = labels.astype(np.int64)
    if labels.max() >= labels.size:
        labels = np.unique(labels, return_inverse=True)[1].reshape(labels.shape)
    near = binary_dilation(edges(labels), DISK)
    rows = []
    for regions, boundary in truth:
        k = regions.max() + 1
        table = np.bincount(labels.ravel() * k + regions.ravel(), minlength=(labels.max() + 1) * k).reshape(-1, k)
        size = table.sum(1, keepdims=True)
        rows.append((
            (near & boundary).sum() / max(1, boundary.sum()),
            np.minimum(table, size - table).sum() / regions.size,
            table.max(1).sum() / regions.size,
        ))
    made = (np.bincount(labels.ravel()) > 0).sum()
    return (*np.mean(rows, 0), compactness(labels), made)


def truth_of(bsds, path):
    """(regions, stored boundary) of each annotator of an image."""
    folder = bsds / "groundTruth" / path.parent.name / path.stem
    read = lambda f: np.array(Image.open(f))
    return [(read(f).astype(np.int64), read(bsds / "boundaries" / path.parent.name / path.stem / f.name) > 0)
            for f in sorted(folder.glob("*.png"))]
