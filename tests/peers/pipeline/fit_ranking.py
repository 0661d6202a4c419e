"""Fits the numbers of the recipe `foreground` (graph weights, queries) to masks, by gradient descent.

  python fit_ranking.py measure SEGCUT DATA OUT SET [SET ...]     numpy, scipy, scikit-image
  python fit_ranking.py fit OUT SET [SET ...] [--epochs 4]        numpy, torch

SET: folders of DATA with images/ and masks/. `measure` takes every fourth image by name, the superpixels that `segcut
segment --recipe foreground` gives it, and writes what the regions and the edges between them measure, and the same of a
gray copy of every second one of them: OUT/SET.npz. `fit` prints the recipe's numbers after every round.

The ranking (segcut-graph's RankingGraph, segcut-spectral's ManifoldRanking) is written in torch here. The loss is 1 − soft
IoU plus 0.3 times the cross entropy per pixel, of a sigmoid round Otsu's level, which is taken as given. Palettes are drawn
here by k-means; the recipe's numbers were fitted to the palettes and distances that segcut itself makes, on the same images.
"""

import argparse
import pathlib
import subprocess

import numpy as np

COLORS = 48
SIGMA = 20.0
START = {
    "scale": np.log(1 / 2.4), "far": -0.9, "frame": -0.6, "alpha": -5.5, "down": -1.1, "across": -1.5, "query": 0.1,
    "bottom": -0.3, "fine": 0.75, "coarse": 1.0, "chroma": 0.26, "steep": 2.2,
}


def superpixels(segcut, images, folder):
    command = [segcut, "segment", *images, "--recipe", "foreground", "--save", "superpixels", "-o", folder, "-q"]
    subprocess.run([str(part) for part in command], check=True)


def means(labels, values, count):
    sizes = np.bincount(labels, minlength=count)
    return np.bincount(labels, weights=values.ravel(), minlength=count) / np.maximum(sizes, 1)


def sides_of(labels, count):
    """As segcut-graph's `sides`."""
    height, width = labels.shape
    wide = max(round(8 * max(height, width) / 400), 1)
    tall, broad = max(min(wide, height // 3), 1), max(min(wide, width // 3), 1)
    bands = (labels[:tall], labels[-tall:], labels[:, :broad], labels[:, -broad:])
    return np.stack([np.bincount(band.ravel(), minlength=count) > 0 for band in bands], axis=1)


def kernel_means(lab, labels, count):
    """Histograms over a palette, times the palette's similarities' root: their distances are those of the graph."""
    from scipy.cluster.vq import kmeans2, vq

    book, _ = kmeans2(lab[::4, ::4].reshape(-1, 3), COLORS, iter=8, minit="++", rng=0)
    codes, _ = vq(lab[::2, ::2].reshape(-1, 3), book)
    histogram = np.bincount(labels[::2, ::2].ravel() * len(book) + codes, minlength=count * len(book))
    histogram = histogram.reshape(count, -1) / np.maximum(histogram.reshape(count, -1).sum(1, keepdims=True), 1)
    similar = np.exp(-((book[:, None] - book[None]) ** 2).sum(2) / (2 * SIGMA**2))
    values, vectors = np.linalg.eigh(similar)
    return SIGMA * histogram @ (vectors * np.sqrt(np.maximum(values, 0)))


def edges_of(labels, count, at_frame):
    """Pairs (u < v) and their kind: 0 touching, 1 with a common neighbour, 2 joined by the frame alone."""
    touching = np.zeros((count, count), bool)
    for a, b in ((labels[:, :-1], labels[:, 1:]), (labels[:-1], labels[1:])):
        touching[a.ravel(), b.ravel()] = touching[b.ravel(), a.ravel()] = True
    np.fill_diagonal(touching, False)
    far = (touching.astype(np.float32) @ touching.astype(np.float32) > 0) & ~touching
    frame = (at_frame[:, None] & at_frame[None]) & ~touching & ~far
    kind = np.where(touching, 0, np.where(far, 1, np.where(frame, 2, -1)))
    pairs = np.argwhere(np.triu(kind >= 0, 1))
    return pairs, kind[pairs[:, 0], pairs[:, 1]]


def measure_one(image, mask, labels):
    from scipy.ndimage import gaussian_filter
    from skimage.color import rgb2lab

    count = int(labels.max()) + 1
    flat = labels.ravel()
    lab = rgb2lab(image)
    blurred = [gaussian_filter(lab[..., 0], 0.7), gaussian_filter(lab, (1.5, 1.5, 0))]
    apart = np.abs(lab - blurred[1])
    detail = (np.abs(lab[..., 0] - blurred[0]), apart[..., 0], apart[..., 1] + apart[..., 2])
    logs = np.log(np.stack([means(flat, channel, count) for channel in detail], axis=1) + 0.5)
    sides = sides_of(labels, count)
    pairs, kind = edges_of(labels, count, sides.any(axis=1))
    color = kernel_means(lab, labels, count)
    down, across = np.indices(labels.shape)
    place = [(means(flat, down + 0.5, count)) / len(labels), means(flat, across + 0.5, count) / labels.shape[1]]
    inside = np.bincount(flat, weights=(mask > 127).ravel(), minlength=count)
    distance = np.linalg.norm(color[pairs[:, 0]] - color[pairs[:, 1]], axis=1)
    ratios = np.abs(logs[pairs[:, 0]] - logs[pairs[:, 1]])
    return {
        "pairs": pairs.astype(np.int16), "kind": kind.astype(np.int8), "distance": distance.astype(np.float32),
        "ratios": ratios.astype(np.float32), "sides": sides, "place": np.stack(place, axis=1) - 0.5,
        "area": np.bincount(flat, minlength=count).astype(float), "inside": inside,
    }


def measure(segcut, data, out, name):
    from skimage import io
    from skimage.color import gray2rgb, rgb2gray

    images = sorted((data / name / "images").glob("*.jpg"))[::4]
    superpixels(segcut, images, out / name)
    found = []
    for number, path in enumerate(images):
        labels = io.imread(out / name / f"{path.stem}.superpixels.png").astype(np.int64)
        mask = io.imread(data / name / "masks" / f"{path.stem}.png")
        mask = mask if mask.ndim == 2 else mask[..., 0]
        image = io.imread(path)
        image = image[..., :3] if image.ndim == 3 else gray2rgb(image)
        found.append(measure_one(image, mask, labels))
        if number % 2 == 0:
            found.append(measure_one(gray2rgb(rgb2gray(image)), mask, labels))
    np.savez(out / f"{name}.npz", images=np.array(found, dtype=object))
    print(name, len(found), flush=True)


def stretched(values):
    return (values - values.min()) / (values.max() - values.min() + 1e-12)


def otsu(values, weights):
    order = np.argsort(values)
    weight, moment = np.cumsum(weights[order]), np.cumsum((weights * values)[order])
    below, total = weight[:-1], weight[-1]
    between = (moment[-1] * below / total - moment[:-1]) ** 2 / (below * (total - below))
    at = int(np.argmax(between))
    return values[order[at + 1]]


def rank(one, p):
    """What every region has of the foreground, 0 to 1."""
    import torch

    tensor = lambda values: torch.tensor(np.asarray(values, dtype=float))
    n = len(one["area"])
    u, v = torch.tensor(one["pairs"].astype(np.int64)).unbind(1)
    kind = torch.tensor(one["kind"].astype(np.int64))
    factors = torch.stack([torch.zeros_like(p["far"]), p["far"], p["frame"]])[kind]
    ratios = tensor(one["ratios"]) @ torch.stack([p["fine"], p["coarse"], p["chroma"]])
    weight = torch.exp(factors - torch.exp(p["scale"]) * tensor(one["distance"]) - ratios) + 1e-7 * (kind == 0)
    graph = torch.zeros(n, n, dtype=torch.float64).index_put((u, v), weight)
    graph = graph + graph.T
    inverse = torch.linalg.inv(torch.diag(graph.sum(1) + 1e-12) - (1 - torch.exp(p["alpha"])) * graph)
    spread = (inverse * (1 - torch.eye(n, dtype=torch.float64))).clamp_min(0)
    rest = 1.0
    for side, reached in enumerate((spread @ tensor(one["sides"])).unbind(1)):
        power = torch.exp(p["bottom"]) if side == 1 else 1.0
        rest = rest * (1 - stretched(reached) + 1e-9) ** power
    place = tensor(one["place"]) ** 2
    closeness = torch.exp(-place[:, 0] / (2 * torch.exp(2 * p["down"])) - place[:, 1] / (2 * torch.exp(2 * p["across"])))
    found = spread @ ((stretched(rest) + 1e-9) ** torch.exp(p["query"]) * closeness)
    area = tensor(one["area"])
    return stretched(found / (found + (found * area).sum() / area.sum()))


def loss(one, p):
    import torch

    area, inside = torch.tensor(one["area"]), torch.tensor(one["inside"])
    x = rank(one, p)
    logits = torch.exp(p["steep"]) * (x - otsu(x.detach().numpy(), one["area"]))
    soft = torch.sigmoid(logits)
    overlap = (soft * inside).sum() / (inside.sum() + (soft * (area - inside)).sum())
    entropy = torch.nn.functional.binary_cross_entropy_with_logits(logits, inside / area, reduction="none")
    return 1 - overlap + 0.3 * (area / area.sum() * entropy).sum()


def load(out, name):
    return list(np.load(out / f"{name}.npz", allow_pickle=True)["images"])


def recipe(p):
    e = {name: float(np.exp(value)) for name, value in p.items()}
    print(f"scale = {1 / e['scale']:.3g}\nfar = {e['far']:.3g}\nframe = {e['frame']:.3g}")
    print(f"ratios = {{ detail = [{p['fine']:.3g}, {p['coarse']:.3g}, {p['chroma']:.3g}] }}")
    print(f"alpha = {1 - e['alpha']:.5g}\ncenter = [{e['down']:.3g}, {e['across']:.3g}]")
    print(f"sides = [1.0, {e['bottom']:.3g}, 1.0, 1.0]\nquery = {e['query']:.3g}", flush=True)


def fit(out, names, epochs):
    import torch

    torch.set_num_threads(1)
    images = [one for name in names for one in load(out, name)]
    p = {name: torch.tensor(float(value), dtype=torch.float64, requires_grad=True) for name, value in START.items()}
    adam = torch.optim.Adam(list(p.values()), lr=0.03)
    order = np.random.default_rng(0)
    for epoch in range(epochs):
        adam.param_groups[0]["lr"] = 0.03 if epoch < epochs - 2 else 0.01
        total = 0.0
        for batch in np.array_split(order.permutation(len(images)), max(len(images) // 10, 1)):
            adam.zero_grad()
            for at in batch:
                one = loss(images[at], p) / len(batch)
                one.backward()
                total += one.item() * len(batch)
            adam.step()
        print("epoch", epoch, "loss", round(total / len(images), 4), flush=True)
        recipe({name: value.item() for name, value in p.items()})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=("measure", "fit"))
    parser.add_argument("rest", nargs="+")
    parser.add_argument("--epochs", type=int, default=4)
    options = parser.parse_args()
    if options.step == "measure":
        segcut, data, out, *names = options.rest
        for name in names:
            measure(pathlib.Path(segcut), pathlib.Path(data), pathlib.Path(out), name)
        return
    out, *names = options.rest
    fit(pathlib.Path(out), names, options.epochs)


if __name__ == "__main__":
    main()
