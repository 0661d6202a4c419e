"""Quality and speed of segcut's superpixels beside scikit-image, OpenCV and fast-slic, in one run.

    compare.py --binary target/release/examples/superpixels --bsds DIR [--images 30] [--repeats 3] [--threads 1]

Every method runs on the same images, one round of all methods after the other, and is scored by the
same code: boundary recall within 2 px of the stored boundaries, undersegmentation error after Neubert
and Protzel, achievable segmentation accuracy (means over annotators), regions made. Times are medians
in milliseconds of the segmentation alone. Setting up: see requirements.txt.
"""
import argparse
import json
import os
import pathlib
import subprocess
import tempfile
import time

import numpy as np
from PIL import Image
from scipy.ndimage import binary_dilation


def edges(labels):
    e = np.zeros(labels.shape, bool)
    e[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    e[:-1] |= labels[:-1] != labels[1:]
    e[:-1, :-1] |= labels[:-1, :-1] != labels[1:, 1:]
    return e


DISK = np.add.outer(np.arange(-2, 3) ** 2, np.arange(-2, 3) ** 2) <= 4


def score(labels, truth):
    """Recall, undersegmentation error and accuracy, means over the annotators."""
    _, labels = np.unique(labels, return_inverse=True)
    near = binary_dilation(edges(labels.reshape(truth[0][0].shape)), DISK)
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
    return np.mean(rows, 0)


def truth_of(bsds, path):
    folder = bsds / "groundTruth" / path.parent.name / path.stem
    read = lambda f: np.array(Image.open(f))
    return [(read(f).astype(np.int64), read(bsds / "boundaries" / path.parent.name / path.stem / f.name) > 0)
            for f in sorted(folder.glob("*.png"))]


def peers(n, threads):
    """Name and function image -> labels of each peer that is installed."""
    found = {}
    try:
        from skimage.segmentation import slic
        found["scikit-image slic"] = lambda rgb: slic(rgb, n_segments=n, start_label=0)
    except ImportError:
        pass
    try:
        import cv2
        cv2.setNumThreads(threads)

        def opencv(algorithm):
            def run(rgb):
                lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
                s = cv2.ximgproc.createSuperpixelSLIC(lab, algorithm, int(round((rgb.size / 3 / n) ** 0.5)), 10.0)
                s.iterate(10)
                s.enforceLabelConnectivity(25)
                return s.getLabels()
            return run

        def seeds(rgb):
            s = cv2.ximgproc.createSuperpixelSEEDS(rgb.shape[1], rgb.shape[0], 3, n, 4)
            s.iterate(rgb, 10)
            return s.getLabels()

        found |= {"OpenCV SLIC": opencv(cv2.ximgproc.SLIC), "OpenCV SLICO": opencv(cv2.ximgproc.SLICO), "OpenCV SEEDS": seeds}
    except (ImportError, AttributeError):
        pass
    try:
        from fast_slic.avx2 import SlicAvx2
        for stride in (1, 3):
            found[f"fast-slic avx2 stride {stride}"] = lambda rgb, s=stride: SlicAvx2(
                num_components=n, subsample_stride=s, num_threads=threads).iterate(np.ascontiguousarray(rgb), 10)
    except ImportError:
        pass
    return found


def segcut(args, settings, listing, out):
    environment = os.environ | {"RAYON_NUM_THREADS": str(args.threads)}
    command = [args.binary, json.dumps(settings), listing, out, str(args.repeats)]
    return json.loads(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--bsds", required=True, type=pathlib.Path)
    parser.add_argument("--images", type=int, default=30, help="the first of split val by name, then of train")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--segments", type=int, nargs="+", default=[200, 400, 1000])
    args = parser.parse_args()
    paths = [p for split in ("val", "train") for p in sorted((args.bsds / "images" / split).glob("*.jpg"))][: args.images]
    truths = {p: truth_of(args.bsds, p) for p in paths}
    print("| asked | method | recall | UE | ASA | made | ms |\n|---|---|---|---|---|---|---|")
    for n in args.segments:
        table = {}
        with tempfile.TemporaryDirectory() as folder:
            listing = pathlib.Path(folder) / "list.txt"
            listing.write_text("\n".join(map(str, paths)))
            for name, settings in {"segcut slic": {}, "segcut slic_zero": {"slic_zero": True}}.items():
                made = segcut(args, settings | {"n_segments": n}, str(listing), folder)
                labels = {p: np.array(Image.open(pathlib.Path(folder) / f"{p.stem}.png")) for p in paths}
                table[name] = (labels, [made["median_ms"]])
        for name, run in peers(n, args.threads).items():
            labels, times = {}, []
            for p in paths:
                rgb = np.array(Image.open(p).convert("RGB"))
                rounds = []
                for _ in range(args.repeats):
                    start = time.perf_counter()
                    labels[p] = run(rgb)
                    rounds.append((time.perf_counter() - start) * 1e3)
                times.append(np.median(rounds))
            table[name] = (labels, times)
        for name, (labels, times) in table.items():
            recall, error, accuracy = np.mean([score(labels[p].astype(np.int64), truths[p]) for p in paths], 0)
            made = np.mean([len(np.unique(labels[p])) for p in paths])
            print(f"| {n} | {name} | {recall:.3f} | {error:.3f} | {accuracy:.3f} | {made:.0f} | {np.median(times):.1f} |", flush=True)


if __name__ == "__main__":
    main()
