"""The pictures of segcut-spectral's PSPECTRAL.md.

    pictures.py EXAMPLE SEGCUT RINGS OUT

EXAMPLE is the program `pspectral` of segcut-spectral's examples, SEGCUT the command-line program; RINGS a folder with
`rings.mtx` (edges between points closer than 0.6) and `rings_points.csv` (x, y, truth). Writes `rings.png` and
`eigenvectors.png` (the second eigenvector on the drawn picture of `segcut demo` for four p).
"""
import pathlib, subprocess, sys, tempfile

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

PANELS = [
    ("p2sign-normalized-cut", "p = 2, by sign"),
    ("p2-normalized-cut", "p = 2, best threshold"),
    ("1-normalized-cut", "1-spectral"),
]


def rings(example, folder, out):
    points = np.loadtxt(folder / "rings_points.csv", delimiter=",", skiprows=1)
    figure, axes = plt.subplots(1, 3, figsize=(9, 3.3))
    with tempfile.TemporaryDirectory() as labels:
        text = subprocess.run(
            [example, folder / "rings.mtx", "2", labels], check=True, capture_output=True, text=True
        ).stdout
        rows = {"-".join(r[:3]): r for r in (line.split("\t") for line in text.splitlines())}
        for axis, (name, title) in zip(axes, PANELS):
            side = np.loadtxt(pathlib.Path(labels) / f"{name}.csv", dtype=int)
            right = max(np.mean(side == points[:, 2]), np.mean(side != points[:, 2]))
            axis.scatter(points[:, 0], points[:, 1], s=3, c=np.where(side == side[0], "#2266aa", "#cc6622"))
            axis.set_title(f"{title}\nN-cut {float(rows[name][4]):.4f}, {100 * right:.0f} % right", fontsize=10)
            axis.set_aspect("equal")
            axis.axis("off")
    figure.tight_layout()
    figure.savefig(out / "rings.png", dpi=80, bbox_inches="tight")


def eigenvectors(segcut, out):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        subprocess.run([segcut, "demo", "-o", folder / "demo"], check=True, capture_output=True)
        image = folder / "demo" / "scene.png"
        figure, axes = plt.subplots(1, 5, figsize=(12, 2.2))
        axes[0].imshow(plt.imread(image))
        axes[0].set_title("picture", fontsize=10)
        for axis, p in zip(axes[1:], ["2.0", "1.7", "1.4", "1.1"]):
            to = folder / p
            command = [segcut, "segment", image, "-o", to, "--recipe", "pspectral-slic-color", "--save", "eigenvectors"]
            command += ["--set", f"cluster.p={p}", "--set", "cluster.k=2"]
            subprocess.run(command, check=True, capture_output=True)
            axis.imshow(plt.imread(next(to.glob("*eigenvector1.png"))))
            axis.set_title(f"p = {float(p):g}", fontsize=10)
        for axis in axes:
            axis.axis("off")
        figure.tight_layout()
        figure.savefig(out / "eigenvectors.png", dpi=70, bbox_inches="tight")


if __name__ == "__main__":
    example, segcut, folder, out = sys.argv[1:]
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    rings(example, pathlib.Path(folder), out)
    eigenvectors(segcut, out)
