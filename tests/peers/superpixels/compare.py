"""Quality of segcut's superpixels beside scikit-image, OpenCV, fast-slic and Rust crates, on BSDS500.

    compare.py --binary target/release/examples/superpixels --bsds DIR [--images 30] [--crates BINARY] [--only WORD …]
               [--json FILE]

Every method runs on the same images and is scored by the same code (score.py). The table "at equal numbers" gives
segcut's scores at the number of regions that the peer made, from the sizes to both sides of it. --json keeps the
figures for figure.py. Setting up: see requirements.txt.
"""
import argparse
import json
import pathlib
import tempfile

import numpy as np

from methods import methods
from score import NAMES, score, truth_of


def at(table, name, made):
    """Scores of a method at a number of regions, linear in its logarithm."""
    rows = sorted(table[name], key=lambda row: row[4])
    count = np.log([row[4] for row in rows])
    slope = lambda i: np.interp(np.log(made), count, [row[i] for row in rows])
    return [slope(i) for i in range(3)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--bsds", required=True, type=pathlib.Path)
    parser.add_argument("--crates", help="the program that rust-peers builds")
    parser.add_argument("--images", type=int, default=30, help="the first of split val by name, then of train")
    parser.add_argument("--segments", type=int, nargs="+", default=[200, 400, 1000])
    parser.add_argument("--only", nargs="+", default=[""], help="methods whose name holds one of these words")
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    paths = [p for split in ("val", "train") for p in sorted((args.bsds / "images" / split).glob("*.jpg"))][: args.images]
    found = {k: v for k, v in methods(args.binary, args.crates, 1).items() if any(word in k for word in args.only)}
    table = {name: [] for name in found}
    print("| method, asked | " + " | ".join(NAMES) + " |\n|" + "---|" * (len(NAMES) + 1), flush=True)
    for n in args.segments:
        for name, method in found.items():
            with tempfile.TemporaryDirectory() as folder:
                labels, _, _ = method.run(paths, n, 0, folder)
                row = np.mean([score(l, truth_of(args.bsds, p)) for l, p in zip(labels, paths)], 0)
            table[name].append(row.tolist())
            print(f"| {name}, {n} | {row[0]:.3f} | {row[1]:.4f} | {row[2]:.4f} | {row[3]:.3f} | {row[4]:.0f} |", flush=True)
    print("\nAt equal numbers:\n\n| peer | made | its recall, UE, ASA | segcut slic | segcut etps |\n|---|---|---|---|---|")
    three = lambda row: f"{row[0]:.3f} {row[1]:.4f} {row[2]:.4f}"
    for name in (name for name in found if not name.startswith("segcut slic") and name != "segcut etps"):
        for row in table[name]:
            ours = [three(at(table, own, row[4])) for own in ("segcut slic", "segcut etps") if own in table]
            print(f"| {name} | {row[4]:.0f} | {three(row)} | {' | '.join(ours)} |")
    if args.json:
        args.json.write_text(json.dumps({"images": len(paths), "quality": table}))


if __name__ == "__main__":
    main()
