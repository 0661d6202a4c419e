"""Region adjacency graphs of scikit-image on a small drawn image.

Run here with numpy and scikit-image (versions in versions.txt). Writes
  image.csv   H rows of W*3 bytes;  labels.csv  H rows of W labels (from 0)
  nodes.csv   per region: size, mean R, G, B
  edges.csv   u, v, weight of rag_mean_color(mode="similarity", sigma=255), connectivity 2
  edges4.csv  the same with connectivity 1
"""
import numpy as np, skimage
from skimage import graph, segmentation

rng = np.random.default_rng(7)
H, W = 36, 48
y, x = np.mgrid[:H, :W]
image = np.stack([60 + 2 * x + 20 * (y > 18), 90 + y + 50 * ((x - 24) ** 2 + (y - 16) ** 2 < 90), 40 + x + y], 2)
image = np.clip(image + rng.normal(0, 6, image.shape), 0, 255).astype(np.uint8)
labels = segmentation.slic(image, n_segments=40, compactness=10, start_label=0)
save = lambda name, rows, fmt: np.savetxt(name, rows, fmt, delimiter=",")
save("image.csv", image.reshape(H, -1), "%d")
save("labels.csv", labels, "%d")
for name, connectivity in (("edges.csv", 2), ("edges4.csv", 1)):
    g = graph.rag_mean_color(image, labels, connectivity=connectivity, mode="similarity", sigma=255.0)
    rows = sorted((min(u, v), max(u, v), d["weight"]) for u, v, d in g.edges(data=True))
    save(name, np.array(rows), ["%d", "%d", "%.17g"])
save("nodes.csv", np.array([[g.nodes[n]["pixel count"], *g.nodes[n]["mean color"]] for n in range(len(g))]), "%.17g")
open("versions.txt", "w").write(f"numpy {np.__version__}\nscikit-image {skimage.__version__}\n")
