"""Images of a data set -> label PNGs of scikit-image's segmenters, to be scored by `segcut eval`.

Writes 16-bit gray PNGs, regions numbered from 0:
  OUT/METHOD/one/ID.png            at the one setting below
  OUT/METHOD/sweep/VALUE/ID.png    over the swept parameter
  OUT/versions.txt

METHOD and its one setting:
  slic          slic(n_segments=400, compactness=30, start_label=1), the leaves of the next two
  ncut          slic, rag_mean_color(mode="similarity"), cut_normalized(thresh=0.001): the settings of scikit-image's
                gallery page "Normalized Cut"; swept over thresh
  merge         slic, rag_mean_color, merge_hierarchical(thresh=35) with the mean-color functions of its gallery page
                "Region Adjacency Graph (RAG) Merging"; swept over thresh
  felzenszwalb  felzenszwalb(scale=800, sigma=0.8, min_size=300); swept over scale

The recursion of `ncut` is run once: as cut_normalized(rng=0) runs it, draw for draw, and then on below its regions to the
largest threshold. A smaller threshold is read off the tree: a subgraph is cut at threshold t exactly when its own cut and
all cuts above it are below t. `--check` also calls cut_normalized and stops where its labels are not the tree's.

  python segment_peers.py DATA OUT [--methods ncut,merge,felzenszwalb,slic] [--no-sweep] [--limit N] [--check]
"""

import argparse
import pathlib
import sys
import time
import warnings

import networkx
import numpy as np
import scipy
import skimage
from PIL import Image
from scipy.sparse import linalg
from skimage import graph, io, segmentation
from skimage.graph import _ncut, _ncut_cy
from skimage.graph._graph_cut import get_min_ncut, partition_by_cut

METHODS = ("slic", "ncut", "merge", "felzenszwalb")
NCUT_THRESH = 0.001
NCUT_SWEEP = (0.00001, 0.00005, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
MERGE_THRESH = 35
MERGE_SWEEP = (10, 15, 20, 25, 30, 35, 40, 50, 60, 80)
FELZENSZWALB_SCALE = 800
FELZENSZWALB_SWEEP = (100, 200, 400, 800, 1600, 3200, 6400)


class Cut:
    """A subgraph and its best cut in two; `parts` once it is cut."""

    def __init__(self, rag, rng):
        self.rag, self.parts, self.cost = rag, [], np.inf
        d, w = _ncut.DW_matrices(rag)
        if w.shape[0] > 2 and (d != w).nnz > 0:
            self.mask, self.cost = get_min_ncut(second_eigenvector(d, w, rng), d, w, 10)

    def grow(self, limit, rng):
        """Cuts on where a cut is below the limit, depth first as cut_normalized does."""
        if not self.parts and self.cost < limit:
            for part in partition_by_cut(self.mask, self.rag):
                self.parts.append(Cut(part, rng))
                self.parts[-1].grow(limit, rng)
            return
        for part in self.parts:
            part.grow(limit, rng)

    def regions(self, thresh):
        """Lists of nodes: the regions at a threshold."""
        if not self.cost < thresh:
            return [list(self.rag.nodes())]
        return [nodes for part in self.parts for nodes in part.regions(thresh)]


def second_eigenvector(d, w, rng):
    """The eigenvector that cut_normalized thresholds, by its own steps."""
    scale = d.copy()
    scale.data = np.reciprocal(np.sqrt(scale.data))
    start = rng.random(w.shape[0])
    values, vectors = linalg.eigsh(scale @ (d - w) @ scale, which="SM", v0=start, k=min(100, w.shape[0] - 2), rng=rng)
    return vectors[:, _ncut_cy.argmin2(values)]


def superpixels(image):
    return segmentation.slic(image, n_segments=400, compactness=30, start_label=1)


def ncut(image, labels, thresholds):
    """Threshold, labels; in the thresholds' order."""
    rag = graph.rag_mean_color(image, labels, mode="similarity")
    for node in rag.nodes():
        rag.add_edge(node, node, weight=1.0)
    rng = np.random.default_rng(0)
    tree = Cut(rag, rng)
    tree.grow(NCUT_THRESH, rng)
    tree.grow(max(thresholds), rng)
    for thresh in thresholds:
        lookup = np.zeros(labels.max() + 1, dtype=np.int64)
        for number, nodes in enumerate(tree.regions(thresh)):
            lookup[nodes] = number
        yield thresh, lookup[labels]


def merged_color(rag, source, target):
    """The gallery's merge_mean_color, with a new array: the copies of a graph share theirs."""
    node = rag.nodes[target]
    node["total color"] = node["total color"] + rag.nodes[source]["total color"]
    node["pixel count"] += rag.nodes[source]["pixel count"]
    node["mean color"] = node["total color"] / node["pixel count"]


def color_distance(rag, source, target, neighbour):
    return {"weight": np.linalg.norm(rag.nodes[target]["mean color"] - rag.nodes[neighbour]["mean color"])}


def merge(image, labels, thresholds):
    rag = graph.rag_mean_color(image, labels)
    for thresh in thresholds:
        # A merge appends to the node's list of labels, which copies of a graph share too.
        for node in rag.nodes:
            rag.nodes[node]["labels"] = [node]
        yield thresh, graph.merge_hierarchical(
            labels, rag, thresh=thresh, rag_copy=True, in_place_merge=True,
            merge_func=merged_color, weight_func=color_distance,
        )


def felzenszwalb(image, _labels, scales):
    for scale in scales:
        yield scale, segmentation.felzenszwalb(image, scale=scale, sigma=0.8, min_size=300)


GRAPH_METHODS = {
    "ncut": (ncut, NCUT_THRESH, NCUT_SWEEP),
    "merge": (merge, MERGE_THRESH, MERGE_SWEEP),
    "felzenszwalb": (felzenszwalb, FELZENSZWALB_SCALE, FELZENSZWALB_SWEEP),
}


def same_partition(a, b):
    pairs = np.unique(a.astype(np.int64) * (int(b.max()) + 1) + b).size
    return pairs == np.unique(a).size == np.unique(b).size


def check(image, labels, found):
    """Stops where the tree's labels are not cut_normalized's."""
    rag = graph.rag_mean_color(image, labels, mode="similarity")
    if not same_partition(graph.cut_normalized(labels, rag, NCUT_THRESH, rng=0), found):
        sys.exit("the tree's labels are not cut_normalized's")


def save(labels, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    compact = np.unique(labels, return_inverse=True)[1].reshape(labels.shape)
    Image.fromarray(compact.astype(np.uint16)).save(path)


def segment(path, options):
    """One image by every method asked for."""
    image, name = io.imread(path), path.stem + ".png"
    labels = superpixels(image) if set(options.methods) != {"felzenszwalb"} else None
    for method in options.methods:
        if method == "slic":
            save(labels, options.out / "slic/one" / name)
            continue
        run, one, sweep = GRAPH_METHODS[method]
        results = dict(run(image, labels, (one,) if options.no_sweep else sweep))
        if method == "ncut" and options.check:
            check(image, labels, results[one])
        save(results[one], options.out / method / "one" / name)
        if not options.no_sweep:
            for value, found in results.items():
                save(found, options.out / method / "sweep" / f"{value:f}".rstrip("0").rstrip(".") / name)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path, help="folder with images/SPLIT/ID.jpg")
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--methods", type=lambda text: text.split(","), default=list(METHODS))
    parser.add_argument("--no-sweep", action="store_true", help="the one setting only")
    parser.add_argument("--limit", type=int, help="only the first N images by name")
    parser.add_argument("--check", action="store_true", help="hold the tree of ncut against cut_normalized")
    options = parser.parse_args()
    if set(options.methods) - set(METHODS):
        parser.error(f"methods are {', '.join(METHODS)}")
    return options


def main():
    options = arguments()
    paths = sorted(options.data.glob("images/*/*.jpg"), key=lambda path: path.stem)[: options.limit]
    if not paths:
        sys.exit(f"{options.data}/images holds no images")
    options.out.mkdir(parents=True, exist_ok=True)
    versions = "".join(f"{module.__name__} {module.__version__}\n" for module in (np, scipy, skimage, networkx))
    (options.out / "versions.txt").write_text(f"python {sys.version.split()[0]}\n{versions}")
    warnings.simplefilter("ignore")
    start = time.perf_counter()
    for count, path in enumerate(paths, 1):
        segment(path, options)
        print(f"\r{count}/{len(paths)} images, {time.perf_counter() - start:.0f} s", end="", file=sys.stderr)
    print(file=sys.stderr)


if __name__ == "__main__":
    main()
