"""The recipe `ncut-slic-skimage` beside scikit-image's own program: how alike their segmentations are.

  python compare_skimage.py SEGCUT DATA PEERS [--images 10] [--recipe ncut-slic-skimage]

PEERS is a folder written by segment_peers.py (methods slic and ncut). Printed per image: superpixels and regions made by
either, the covering of scikit-image's map by segcut's (Arbelaez et al. 2011: mean best overlap weighted by size), both ways,
and the adjusted Rand index; then the means.
"""

import argparse
import pathlib
import subprocess
import tempfile

import numpy as np
from PIL import Image


def read(path):
    return np.unique(np.array(Image.open(path)), return_inverse=True)[1].ravel()


def contingency(a, b):
    return np.bincount(a * (b.max() + 1) + b, minlength=(a.max() + 1) * (b.max() + 1)).reshape(a.max() + 1, -1)


def covering(table):
    """Of the rows' map by the columns'."""
    rows, columns = table.sum(1, keepdims=True), table.sum(0, keepdims=True)
    best = (table / (rows + columns - table)).max(1)
    return float((best * rows[:, 0]).sum() / rows.sum())


def adjusted_rand(table):
    pairs = lambda counts: float((counts * (counts - 1) / 2).sum())
    both, rows, columns = pairs(table), pairs(table.sum(1)), pairs(table.sum(0))
    expected = rows * columns / pairs(table.sum())
    most = (rows + columns) / 2
    return 1.0 if most == expected else (both - expected) / (most - expected)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("segcut", type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("peers", type=pathlib.Path)
    parser.add_argument("--images", type=int, default=10)
    parser.add_argument("--recipe", default="ncut-slic-skimage")
    options = parser.parse_args()
    done = {path.stem for path in (options.peers / "ncut/one").glob("*.png")}
    paths = sorted((p for p in options.data.glob("images/*/*.jpg") if p.stem in done), key=lambda path: path.stem)
    images = paths[:: max(1, len(paths) // options.images)][: options.images]
    with tempfile.TemporaryDirectory() as out:
        flags = ["-o", out, "--recipe", options.recipe, "--save", "superpixels", "-q"]
        subprocess.run([options.segcut, "segment", *images, *flags], check=True)
        print("| image | superpixels, theirs | ours | covering | ARI | regions, theirs | ours | covering | back | ARI |")
        print("|" + "---|" * 10)
        rows = []
        for path in images:
            theirs = [read(options.peers / part / "one" / f"{path.stem}.png") for part in ("slic", "ncut")]
            ours = [read(pathlib.Path(out) / f"{path.stem}.{part}.png") for part in ("superpixels", "labels")]
            cells, regions = (contingency(a, b) for a, b in zip(theirs, ours))
            rows.append([*cells.shape, covering(cells), adjusted_rand(cells),
                         *regions.shape, covering(regions), covering(regions.T), adjusted_rand(regions)])
            print(line(path.stem, rows[-1]))
        print(line("mean", np.mean(rows, 0)))


def line(name, row):
    counts = (0, 1, 4, 5)
    return "| " + " | ".join([name, *(f"{v:.0f}" if i in counts else f"{v:.3f}" for i, v in enumerate(row))]) + " |"


if __name__ == "__main__":
    main()
