"""Draws quality against number of regions and against time, from compare.py --json and the table of speed.py.

    figure.py quality.json speed.md superpixels.png

Several files of compare.py, joined by commas, are drawn together.
"""
import json
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np


def main():
    quality = {}
    for name in sys.argv[1].split(","):
        quality |= json.load(open(name))["quality"]
    rows = [line.split("|") for line in open(sys.argv[2]) if line.startswith("| 481x321/400/1 ")]
    cpu = {row[2].strip(): float(row[4]) for row in rows}
    figure, (recall, error, time) = plt.subplots(1, 3, figsize=(10, 3.2), dpi=80)
    for name, points in quality.items():
        points = np.array(sorted(points, key=lambda p: p[4]))
        style = "-o" if name.startswith("segcut") else "--s"
        line, = recall.plot(points[:, 4], points[:, 0], style, ms=3, lw=1, label=name)
        error.plot(points[:, 4], points[:, 1], style, ms=3, lw=1, color=line.get_color())
        if name in cpu:
            at = np.interp(400, points[:, 4], points[:, 1])
            time.plot(cpu[name], at, style[-1], ms=5, color=line.get_color())
    recall.set(xlabel="regions made", ylabel="boundary recall, 2 px")
    error.set(xlabel="regions made", ylabel="undersegmentation error")
    time.set(xlabel="CPU ms, 481x321", ylabel="the error at 400 regions", xscale="log")
    time.set_xticks([5, 10, 20, 50, 100], ["5", "10", "20", "50", "100"])
    time.set_xticks([], minor=True)
    figure.legend(loc="lower center", ncols=5, fontsize=7, frameon=False)
    figure.tight_layout(rect=(0, 0.18, 1, 1))
    figure.savefig(sys.argv[3])


if __name__ == "__main__":
    main()
