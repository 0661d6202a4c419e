"""Communities of nodes that the network has not seen.

unseen.py SEGCUT GRAPH K [DRAWS]   trains on half of the nodes and the edges between them, labels the whole graph

GRAPH is a folder with edges.csv, labels.csv and features.mtx. Needs numpy, scipy, scikit-learn.
"""
import csv
import json
import subprocess
import sys
import tempfile

import numpy as np
import scipy.io
from sklearn.metrics import normalized_mutual_info_score as nmi


def columns(file, names):
    """Columns of a table as text."""
    with open(file) as rows:
        return [[row[name] for name in names] for row in csv.DictReader(rows)]


def draw(program, folder, k, seed):
    """NMI of the unseen and of the seen half, and the modularity of all."""
    features = scipy.io.mmread(f"{folder}/features.mtx").toarray().astype(np.float32)
    edges = np.array(columns(f"{folder}/edges.csv", ["u", "v"])).astype(int)
    truth = np.array([label for (label,) in columns(f"{folder}/labels.csv", ["label"])])
    seen = np.sort(np.random.default_rng(seed).permutation(len(truth))[: len(truth) // 2])
    place = np.full(len(truth), -1)
    place[seen] = np.arange(len(seen))
    inside = place[edges]
    inside = inside[(inside >= 0).all(1)]
    with tempfile.TemporaryDirectory() as at:
        np.savetxt(f"{at}/half.csv", inside, fmt="%d", delimiter=",", header="u,v", comments="")
        np.save(f"{at}/half.npy", features[seen])
        np.save(f"{at}/all.npy", features)
        train = f"train {at}/half.csv --format edges --features {at}/half.npy --method gcn --k {k} --seed {seed} -o {at}/m -q"
        subprocess.run([program, *train.split()], check=True)
        predict = f"predict {at}/m {folder}/edges.csv --format edges --features {at}/all.npy -o {at}/l.csv --json"
        told = json.loads(subprocess.run([program, *predict.split()], check=True, capture_output=True, text=True).stdout)
        labels = np.array([label for (label,) in columns(f"{at}/l.csv", ["label"])])
    known = place >= 0
    return nmi(truth[~known], labels[~known]), nmi(truth[known], labels[known]), told["modularity"]


if __name__ == "__main__":
    print("| draw | NMI of the unseen half | of the seen half | modularity of all |\n|---|---|---|---|")
    for seed in range(int(sys.argv[4]) if len(sys.argv) > 4 else 3):
        print(f"| {seed} | " + " | ".join(f"{value:.3f}" for value in draw(*sys.argv[1:3], sys.argv[3], seed)) + " |", flush=True)
