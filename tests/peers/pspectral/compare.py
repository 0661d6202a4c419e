"""Cut values, error against truth and CPU time of p-spectral and 1-spectral clustering, beside the recorded values of
the reference programs.

    compare.py EXAMPLE ORACLE DATA [NAME ...]

EXAMPLE is the program `pspectral` of segcut-spectral's examples; ORACLE the folder with the reference programs' outputs
(`GRAPH.mtx`, `p_GRAPH_cluster.json`, `1_GRAPH.json`); DATA holds `points/NAME.csv` (coordinates, then `label`) and
`graphs/NAME/{edges,labels}.csv`. Prints one table in Markdown per graph.
"""
import csv, json, pathlib, subprocess, sys, tempfile

import numpy as np
from scipy.io import mmwrite
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.neighbors import NearestNeighbors

ORACLE = ["moons2000", "moons400", "rag", "karate", "path30", "barbell10", "blog_moons200", "blog_circles_e06"]
CLUSTERS = {"rag": 8, "karate": 4, "path30": 4}
POINTS = ["moons_n12", "blobs5", "iris", "breast_cancer"]
GRAPHS = ["dolphins", "lesmis", "polbooks", "netscience", "sbm_4x100_easy", "sbm_4x100_hard", "lfr_n1000_mu30"]


def knn_graph(points, k=10, alpha=4.0):
    """Symmetric k-nearest-neighbor graph (the larger of both weights), exp(-alpha d^2 / s_i^2), s_i the k-th distance."""
    distance, index = NearestNeighbors(n_neighbors=k + 1).fit(points).kneighbors(points)
    distance, index = distance[:, 1:], index[:, 1:]
    weight = np.exp(-alpha * distance**2 / np.maximum(distance[:, -1:], 1e-12) ** 2)
    n = len(points)
    rows = np.repeat(np.arange(n), k)
    graph = csr_matrix((weight.ravel(), (rows, index.ravel())), shape=(n, n))
    return graph.maximum(graph.T)


def largest_component(graph, labels):
    _, part = connected_components(graph, directed=False)
    keep = part == np.bincount(part).argmax()
    return graph[keep][:, keep], None if labels is None else labels[keep]


def read_points(path):
    with open(path) as file:
        rows = list(csv.reader(file))[1:]
    values = np.array([[float(x) for x in row] for row in rows])
    return values[:, :-1], values[:, -1].astype(int)


def read_graph(folder):
    pairs = np.loadtxt(folder / "edges.csv", delimiter=",", skiprows=1, usecols=(0, 1), dtype=int, ndmin=2)
    n = pairs.max() + 1
    labels = None
    if (folder / "labels.csv").exists():
        table = np.genfromtxt(folder / "labels.csv", delimiter=",", skip_header=1, dtype=str, ndmin=2)
        labels = np.unique(table[:, 1], return_inverse=True)[1]
        n = max(n, len(labels))
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n)).tocsr()
    graph.setdiag(0)
    graph.eliminate_zeros()
    return (graph.maximum(graph.T) > 0).astype(float), labels


def error(labels, truth):
    """Share of nodes that are wrong under the best matching of clusters and classes."""
    if truth is None:
        return "–"
    truth = np.unique(truth, return_inverse=True)[1]
    table = np.zeros((labels.max() + 1, truth.max() + 1))
    np.add.at(table, (labels, truth), 1)
    rows, columns = linear_sum_assignment(-table)
    return f"{100 * (1 - table[rows, columns].sum() / len(truth)):.2f} %"


def recorded(oracle, name):
    """(method, cut, criterion) -> eigenvalue, cut, Cheeger cut, seconds of the reference program's last split."""
    found = {}
    last = lambda x: x[-1] if isinstance(x, list) else x
    for r in json.loads((oracle / f"p_{name}_cluster.json").read_text()):
        cut = "normalized" if r["normalized"] else "ratio"
        found[f"p{r['p']:g}", cut, "cheeger"] = r["fmin"], last(r["cuts"]), last(r["cheegers"]), r["seconds"]
    for r in json.loads((oracle / f"1_{name}.json").read_text()):
        n = r["criterion"][0] == "n"
        by = "cheeger" if r["criterion"].endswith("cc") else "cut"
        values = last(r["ncut" if n else "rcut"]), last(r["ncc" if n else "rcc"])
        found["1", "normalized" if n else "ratio", by] = r["lambda"], *values, r["seconds"]
    return found


def table(program, path, k, truth, reference):
    print("| method | cut | criterion | F | sum of parts | largest part | error | s | reference: F | sum | largest | s |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        out = subprocess.run([program, path, str(k), folder], check=True, capture_output=True, text=True).stdout
        for row in csv.DictReader(out.splitlines(), delimiter="\t"):
            key = row["method"], row["cut"], row["criterion"]
            labels = np.loadtxt(pathlib.Path(folder) / ("-".join(key) + ".csv"), dtype=int)
            theirs = reference.get(key)
            theirs = " | ".join(f"{x:.6g}" for x in theirs) if theirs else " | | | "
            last = [float(row[name].split()[-1]) for name in ("cuts", "cheegers")]
            ours = f"{float(row['eigenvalue']):.6g} | {last[0]:.6g} | {last[1]:.6g}"
            print(f"| {' | '.join(key)} | {ours} | {error(labels, truth)} | {row['seconds']} | {theirs} |", flush=True)


def main(program, oracle, data, names):
    oracle, data = pathlib.Path(oracle), pathlib.Path(data)
    for name in [n for n in ORACLE if not names or n in names]:
        k = CLUSTERS.get(name, 2)
        file = oracle / f"{name}_truth.csv"
        truth = np.loadtxt(file, dtype=int) if file.exists() else None
        print(f"\n{name}, k = {k}\n")
        table(program, oracle / f"{name}.mtx", k, truth, recorded(oracle, name))
    for name in [n for n in POINTS + GRAPHS if not names or n in names]:
        if name in POINTS:
            points, truth = read_points(data / "points" / f"{name}.csv")
            graph = knn_graph(points)
        else:
            graph, truth = read_graph(data / "graphs" / name)
        graph, truth = largest_component(graph, truth)
        k = 2 if truth is None else min(max(len(np.unique(truth)), 2), 6)
        print(f"\n{name}, n = {graph.shape[0]}, {graph.nnz // 2} edges, k = {k}\n")
        with tempfile.NamedTemporaryFile(suffix=".mtx") as file:
            mmwrite(file.name, coo_matrix(graph), symmetry="symmetric", precision=17)
            table(program, file.name, k, truth, {})


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
