"""Values of the reference programs -> expected.csv; graphs are copied as they are.

Source: the project's shared data, oracle/pspectral: outputs of tbuehler/pSpectralClustering and
tbuehler/OneSpectralClustering (GPL-3.0 programs; numbers only) run under GNU Octave 7.3, see versions.txt.
Usage: generate.py ORACLE_FOLDER
"""
import csv, json, pathlib, shutil, sys

source, here = pathlib.Path(sys.argv[1]), pathlib.Path(__file__).parent
GRAPHS = ["barbell10", "karate", "path30", "rag", "moons400", "blog_moons200"]


def listed(x):
    return ";".join(repr(float(v)) for v in (x if isinstance(x, list) else [x]))


with open(here / "expected.csv", "w", newline="") as out:
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["method", "graph", "cut", "parameter", "k", "eigenvalue", "cuts", "cheegers"])
    for graph in GRAPHS:
        shutil.copyfile(source / f"{graph}.mtx", here / f"{graph}.mtx")
        for kind in ["cluster", "eigvec_exact", "eigvec_exact_p11"]:
            file = source / f"p_{graph}_{kind}.json"
            for r in json.loads(file.read_text()) if file.exists() else []:
                cut = "normalized" if r["normalized"] else "ratio"
                values = [listed(r["cuts"]), listed(r["cheegers"])] if kind == "cluster" else ["", ""]
                rows.writerow([f"p_{kind}", graph, cut, r["p"], r.get("k", 2), repr(r["fmin"]), *values])
        for r in json.loads((source / f"1_{graph}.json").read_text()):
            normalized = r["criterion"][0] == "n"
            cut, cheeger = ("ncut", "ncc") if normalized else ("rcut", "rcc")
            row = ["one", graph, "normalized" if normalized else "ratio"]
            by = "cheeger" if r["criterion"].endswith("cc") else "cut"
            rows.writerow([*row, by, r["k"], repr(r["lambda"]), listed(r[cut]), listed(r[cheeger])])
