"""Communities: segcut's methods over seeds, and its Leiden beside leidenalg and igraph.

compare.py SEGCUT GRAPHS methods NAME...   a table of means, spread and worst over 5 seeds, k = number of true labels
compare.py SEGCUT GRAPHS counts NAME...    the number of communities that every rule of --k auto chooses, seed 0
compare.py SEGCUT GRAPHS leiden NAME...    the best modularity of 10 seeds each, with processor seconds per seed

GRAPHS holds a folder per graph: edges.csv, labels.csv where there is truth, features.mtx where there are attributes.
"""
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile

SEEDS = range(5)
METHODS = {"gcn": "--method gcn", "dmon": "--method dmon", "spectral": "--method spectral --assign kmeans"}
RULES = {"description": "k_by=description", "modularity": "k_by=modularity",
         "modularity, 10 % held out": "k_by=modularity k_held_out=0.1", "silhouette": "k_by=silhouette",
         "eigengap": "k_by=eigengap"}
# Its two labels are no communities.
NO_TRUTH = {"deezer_europe"}


def cluster(program, folder, options):
    """What segcut tells of one clustering, with its processor seconds."""
    with tempfile.TemporaryDirectory() as out:
        command = [program, "cluster", f"{folder}/edges.csv", "--format", "edges", "-o", f"{out}/l.csv", "--json"]
        for flag, name in (("--truth", "labels.csv"), ("--features", "features.mtx")):
            if os.path.exists(f"{folder}/{name}") and not (flag == "--features" and "spectral" in options):
                command += [flag, f"{folder}/{name}"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command + options.split(), capture_output=True, text=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}: {done.stderr}")
        told = json.loads(done.stdout)
        told["cpu"] = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        return told


def classes(folder):
    """The number of true labels; none without truth."""
    try:
        with open(f"{folder}/labels.csv") as file:
            return len({row["label"] for row in csv.DictReader(file)} - {"-1"})
    except FileNotFoundError:
        return None


def spread(values, digits=3):
    """Mean ± half the range (worst)."""
    mean, half = sum(values) / len(values), (max(values) - min(values)) / 2
    return f"{mean:.{digits}f} ± {half:.{digits}f} ({min(values):.{digits}f})"


def methods(program, graphs, names):
    """The table of methods."""
    print("| graph | method | k | modularity | NMI | ARI | conductance | CPU s |\n|---|---|---|---|---|---|---|---|")
    for name in names:
        folder = f"{graphs}/{name}"
        k = classes(folder) if name not in NO_TRUTH else 20
        for method, options in METHODS.items():
            told = [cluster(program, folder, f"{options} --k {k or 'auto'} --seed {seed} --threads 1") for seed in SEEDS]
            scored = name not in NO_TRUTH and "nmi" in told[0]
            of = lambda key: spread([one[key] for one in told])
            nmi, ari = (of("nmi"), of("ari")) if scored else ("", "")
            print(f"| {name} | {method} | {told[0]['k']} | {of('modularity')} | {nmi} | {ari} | {of('conductance')} | "
                  f"{sum(one['cpu'] for one in told) / len(told):.2f} |", flush=True)


def counts(program, graphs, names):
    """The table of --k auto: chosen numbers, with the NMI of the communities and processor seconds."""
    print("| graph | labels | " + " | ".join(RULES) + " |\n|---|---|" + "---|" * len(RULES))
    for name in names:
        cells = []
        for rule in RULES.values():
            options = " ".join(f"--set cluster.{word}" for word in rule.split())
            told = cluster(program, f"{graphs}/{name}", f"--method gcn --k auto --threads 1 {options}")
            score = f"{told['nmi']:.2f}, " if "nmi" in told and name not in NO_TRUTH else ""
            cells.append(f"{told['k']} ({score}{told['cpu']:.1f} s)")
        labels = "" if name in NO_TRUTH else classes(f"{graphs}/{name}")
        print(f"| {name} | {labels} | " + " | ".join(cells) + " |", flush=True)


def read_edges(folder):
    """Pairs and weights."""
    with open(f"{folder}/edges.csv") as file:
        rows = list(csv.DictReader(file))
    return [(int(row["u"]), int(row["v"])) for row in rows], [float(row.get("weight") or 1) for row in rows]


def peers(folder):
    """Best modularity of 10 seeds and processor seconds per seed of leidenalg and igraph."""
    import igraph
    import leidenalg
    import random
    import time

    pairs, weights = read_edges(folder)
    graph = igraph.Graph(edges=pairs)

    def of_leidenalg(seed):
        kind = leidenalg.ModularityVertexPartition
        return leidenalg.find_partition(graph, kind, weights=weights, n_iterations=-1, seed=seed).q

    def of_igraph(seed):
        random.seed(seed)
        found = graph.community_leiden("modularity", weights=weights, n_iterations=-1)
        return graph.modularity(found, weights=weights)

    out = []
    for run in (of_leidenalg, of_igraph):
        start = time.process_time()
        best = max(run(seed) for seed in range(10))
        out.append((best, (time.process_time() - start) / 10))
    return out


def leiden(program, graphs, names):
    """The table of Leiden."""
    print("| graph | segcut | CPU s | leidenalg | CPU s | igraph | CPU s |\n|---|---|---|---|---|---|---|")
    for name in names:
        folder = f"{graphs}/{name}"
        told = [cluster(program, folder, f"--method leiden --seed {seed} --threads 1") for seed in range(10)]
        best, cpu = max(one["modularity"] for one in told), sum(one["cpu"] for one in told) / 10
        theirs = " | ".join(f"{value:.4f} | {seconds:.2f}" for value, seconds in peers(folder))
        print(f"| {name} | {best:.4f} | {cpu:.2f} | {theirs} |", flush=True)


if __name__ == "__main__":
    {"methods": methods, "counts": counts, "leiden": leiden}[sys.argv[3]](sys.argv[1], sys.argv[2], sys.argv[4:])
