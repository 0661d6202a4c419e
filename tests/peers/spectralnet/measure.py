"""SpectralNet of segcut over seeds, beside spectral clustering on the same graph and, with --package, beside the
authors' PyTorch package (spectralnet 0.1.2) in turn.

    measure.py SEGCUT POINTS OUT [--seeds 5] [--package] INPUT:K:TRUTH[:GRAPH] ...

POINTS is a folder; INPUT a file in it, TRUTH the label column, GRAPH options for a graph of the points, for example
"--n-neighbors 10" (without it neighbours are found within batches). Per input: accuracy and NMI of all points, of a
half that training has not seen (`segcut train` on the other half, `segcut predict`), and processor seconds.
"""

import argparse
import gzip
import json
import pathlib
import resource
import subprocess

import numpy as np


def call(words):
    """JSON of a call and its processor seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    text = subprocess.run([str(w) for w in words], check=True, capture_output=True, text=True).stdout
    return json.loads(text), resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def rows(file, truth):
    if file.suffix == ".npz":
        archive = np.load(file)
        return archive["x"].astype(float), archive[truth]
    opened = gzip.open(file, "rt") if file.suffix == ".gz" else open(file)
    with opened as lines:
        names = lines.readline().strip().split(",")
        table = np.array([[float(cell) for cell in line.split(",")] for line in lines])
    at = names.index(truth)
    return np.delete(table, at, 1), table[:, at].astype(int)


def halves(file, truth, out):
    """Two files: every second row, and the others."""
    x, y = rows(file, truth)
    order = np.random.default_rng(0).permutation(len(x))
    files = []
    for name, part in [("seen", order[::2]), ("unseen", order[1::2])]:
        files.append(out / f"{file.name.split('.')[0]}-{name}.npz")
        np.savez(files[-1], x=x[part].astype(np.float32), y=y[part])
    return files


def told(name, values):
    found = np.array(values)
    print(f"  {name:<34}" + "".join(f"  {m:.3f} ± {s:.3f}" for m, s in zip(found.mean(0), found.std(0))), flush=True)


def package(x, y, k, seed):
    """The settings of the package's own example for two moons."""
    import time

    import torch
    from spectralnet import Metrics, SpectralNet

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    x = torch.tensor((x - x.mean(0)) / x.std(0), dtype=torch.float32)
    net = SpectralNet(
        n_clusters=k,
        spectral_batch_size=712,
        spectral_epochs=40,
        spectral_is_local_scale=False,
        spectral_n_nbg=8,
        spectral_scale_k=2,
        spectral_lr=1e-2,
        spectral_hiddens=[128, 128, k],
    )
    start = time.process_time()
    net.fit(x)
    seconds = time.process_time() - start
    labels = net.predict(x)
    return [Metrics.acc_score(labels, y, k), Metrics.nmi_score(labels, y), seconds]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("segcut")
    parser.add_argument("points", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("inputs", nargs="+")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--package", action="store_true")
    parser.add_argument("--no-halves", action="store_true")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for given in args.inputs:
        name, k, truth, *graph = given.split(":")
        file, graph = args.points / name, graph[0].split() if graph else []
        common = ["--k", k, "--threads", 1, "--json", *graph]
        print(f"{name} {' '.join(graph)}: accuracy, NMI, processor seconds", flush=True)
        spectral, seconds = call([args.segcut, "cluster", file, "-o", args.out / "l.csv", "--truth", truth, *common])
        told("spectral", [[spectral["accuracy"], spectral["nmi"], seconds]])
        found, unseen, theirs = [], [], []
        seen_file, unseen_file = (None, None) if args.no_halves else halves(file, truth, args.out)
        for seed in range(args.seeds):
            words = [args.segcut, "cluster", file, "-o", args.out / "l.csv", "--truth", truth, "--method"]
            one, seconds = call([*words, "spectralnet", "--seed", seed, *common])
            found.append([one["accuracy"], one["nmi"], seconds])
            if not args.no_halves:
                model = args.out / "model"
                _, seconds = call(
                    [args.segcut, "train", seen_file, "-o", model, "--overwrite", "--seed", seed, *common]
                )
                new = [args.segcut, "predict", model, unseen_file, "-o", args.out / "l.csv", "--truth", "y", "--json"]
                one, _ = call(new)
                seen = [args.segcut, "predict", model, seen_file, "-o", args.out / "l.csv", "--truth", "y", "--json"]
                unseen.append([one["accuracy"], one["nmi"], call(seen)[0]["accuracy"]])
            if args.package:
                theirs.append(package(*rows(file, truth), int(k), seed))
        told("spectralnet", found)
        if unseen:
            told("unseen half: accuracy, NMI; seen", unseen)
        if theirs:
            told("PyTorch package", theirs)


main()
