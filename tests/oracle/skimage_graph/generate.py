"""scikit-image's region graphs: merge_hierarchical on mean color and cut_normalized, on one small photograph.

Writes graph.json: regions of a SLIC of the astronaut at 128x128 with size, mean color, edges of rag_mean_color,
the labels per region after merge_hierarchical at several thresholds, and after cut_normalized.
Run with the versions in versions.txt: python generate.py
"""

import json

import networkx as nx
import numpy as np
from skimage import data, graph, segmentation, transform, util


def weight_mean_color(rag, src, dst, n):
    return {"weight": np.linalg.norm(rag.nodes[dst]["mean color"] - rag.nodes[n]["mean color"])}


def merge_mean_color(rag, src, dst):
    rag.nodes[dst]["total color"] += rag.nodes[src]["total color"]
    rag.nodes[dst]["pixel count"] += rag.nodes[src]["pixel count"]
    rag.nodes[dst]["mean color"] = rag.nodes[dst]["total color"] / rag.nodes[dst]["pixel count"]


def per_region(labels, new, n):
    out = np.zeros(n, int)
    out[labels.ravel()] = new.ravel()
    return out.tolist()


image = util.img_as_ubyte(transform.resize(data.astronaut(), (128, 128), anti_aliasing=True))
labels = segmentation.slic(image, compactness=30, n_segments=150, start_label=0)
distance = graph.rag_mean_color(image, labels)
similarity = graph.rag_mean_color(image, labels, mode="similarity", sigma=2000.0)
n = distance.number_of_nodes()
edges = sorted((min(u, v), max(u, v)) for u, v in distance.edges())
merged = {}
for thresh in (10, 20, 30, 40, 60):
    rag = graph.rag_mean_color(image, labels)  # anew: the copy of a RAG shares its arrays, and merging changes them
    new = graph.merge_hierarchical(
        labels, rag, thresh, rag_copy=False, in_place_merge=True, merge_func=merge_mean_color, weight_func=weight_mean_color
    )
    merged[str(thresh)] = per_region(labels, new, n)
cuts = {}
for thresh in (0.001, 0.01, 0.05, 0.2):
    new = graph.cut_normalized(labels, similarity, thresh=thresh, in_place=False, rng=0)
    cuts[str(thresh)] = per_region(labels, new, n)
out = {
    "sizes": [distance.nodes[i]["pixel count"] for i in range(n)],
    "colors": [[round(float(c), 9) for c in distance.nodes[i]["mean color"]] for i in range(n)],
    "edges": edges,
    "similarity": [similarity[u][v]["weight"] for u, v in edges],
    "merge_hierarchical": merged,
    "cut_normalized": cuts,
}
with open("graph.json", "w") as file:
    json.dump(out, file, separators=(",", ":"), default=int)
print(n, len(edges), {k: len(set(v)) for k, v in merged.items()}, {k: len(set(v)) for k, v in cuts.items()})
