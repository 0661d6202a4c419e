"""Time and memory of segcut-spectral's eigenvectors against the number of nodes and of vectors, as a picture.

    cargo build --release -p segcut-spectral --examples
    python tests/peers/spectral/growth.py OUT.png [EXAMPLES] [--rounds 2]

The coin example's pixel grid (4 neighbors) at growing scales with 29 vectors, and at scale 0.5 with 10 to 100 vectors;
residuals of 1e-3 of the last eigenvalue, certificate on, one thread. CPU seconds (smallest of the rounds) and the peak
memory of the process. The cross is the floor that the README calculates for 116,352 nodes. The fitted exponents are
printed.
"""

import argparse
import os
import re
import subprocess
import tempfile

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import scipy.ndimage
import skimage.data
import skimage.transform

FLOOR = (116352, 0.40)


def measure(arguments, folder, scale, k):
    smooth = scipy.ndimage.gaussian_filter(skimage.data.coins(), sigma=2)
    small = skimage.transform.rescale(smooth, scale, mode="reflect", anti_aliasing=False)
    path = os.path.join(folder, "grid.txt")
    with open(path, "w") as file:
        file.write(f"{small.shape[0]} {small.shape[1]}\n")
        np.savetxt(file, small.ravel(), fmt="%.9g")
    command = [os.path.join(arguments.examples, "time_grid"), path, str(k), "1e-3", "auto", "1", "bare"]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(arguments.rounds)]
    seconds = min(float(re.search(r"embedding ([\d.]+) s", text)[1]) for text in runs)
    memory = int(re.search(r"peak (\d+) MB", runs[-1])[1])
    print(f"n {small.size} k {k}: {seconds:.3f} s, {memory} MB", flush=True)
    return small.size, k, seconds, memory


def draw(axis, rows, column, label):
    x, seconds, memory = ([row[i] for row in rows] for i in (column, 2, 3))
    axis.loglog(x, seconds, "o-", color="#2266aa", label="CPU seconds")
    axis.loglog(x, np.array(memory) / 1000, "s--", color="#cc6622", label="peak memory, GB")
    slope = np.polyfit(np.log(x), np.log(seconds), 1)[0]
    print(f"{label}: seconds grow with exponent {slope:.2f}")
    axis.set_xlabel(f"{label} (exponent of the time {slope:.2f})")
    axis.grid(alpha=0.3, which="both")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("examples", nargs="?", default="target/release/examples")
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    os.environ["RAYON_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        nodes = [measure(arguments, folder, scale, 29) for scale in (0.2, 0.35, 0.5, 0.7, 1.0, 1.4)]
        vectors = [measure(arguments, folder, 0.5, k) for k in (10, 20, 30, 50, 70, 100)]
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4))
    draw(axes[0], nodes, 0, "nodes, 29 vectors")
    axes[0].plot(*FLOOR, "x", color="black", label="floor (calculated)")
    draw(axes[1], vectors, 1, "vectors, 29,184 nodes")
    axes[0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(arguments.out, dpi=80)
