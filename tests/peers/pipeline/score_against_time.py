"""Every recipe: its score against its processor time; a table and pipelines/pictures/score-time.png.

  python score_against_time.py SEGCUT DATA OUT PICTURE [--images 24] [--timed 10]

Region recipes: covering at the one setting on evenly spaced val images of DATA/bsds500. Mask recipes: mean IoU on evenly
spaced images of DATA/ecssd. Time: user CPU (getrusage) of `segcut segment --jobs 1 --threads 1` on --timed evenly spaced
val images of 481x321 in one call, per image, reading and writing included; the smaller of two calls. scikit-image's
Felzenszwalb at one setting (segment_peers.py) likewise, from file to labels, in this process.
"""

import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from skimage import io

import segment_peers

REGIONS = ("ucm", "ucm-fast", "ncut-slic-color", "merge-slic-color", "ncut-slic-skimage", "multicut-slic-color")
REGIONS += ("pspectral-slic-color", "onespectral-slic-color", "ncut-pixels")
MASKS = ("foreground", "foreground-fast", "robust-background", "two-step")
MASKS += ("deepcut-ncut", "deepcut-cc", "deepcut-two-step", "deepcut-superpixels", "deepcut-slic", "deepcut-pixels")
BELOW = ("foreground-fast", "pspectral-slic-color", "deepcut-cc", "two-step")
PARALLEL = ["--jobs", "1", "--threads", "1", "-q"]


def spaced(paths, count):
    paths = sorted(paths)
    count = min(count, len(paths))
    return [paths[i * len(paths) // count] for i in range(count)]


def links(paths, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        if not (folder / path.name).exists():
            (folder / path.name).symlink_to(path.resolve())
    return folder


def user_ms(command):
    """User CPU milliseconds of a child. An image that fails is told and not an end."""
    child = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    message = child.stderr.read()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        print(message.decode(), file=sys.stderr)
    return 1000 * used.ru_utime


def recipe_ms(options, recipe, images):
    command = [options.segcut, "segment", *images, "-o", options.out / "timed", "--recipe", recipe, *PARALLEL]
    return min(user_ms(command) for _ in range(2)) / len(images)


def recipe_score(options, recipe, images, truth):
    out = options.out / "run" / recipe
    command = [options.segcut, "run", "--data", images, "--truth", truth, "--allow-missing", "-o", out, "--overwrite"]
    subprocess.run([str(part) for part in [*command, "--recipe", recipe, *PARALLEL]], stdout=subprocess.DEVNULL)
    return evaluate(options, out / "labels", truth)


def evaluate(options, labels, truth):
    command = [options.segcut, "eval", "--pred", labels, "--truth", truth, "--allow-missing", "--jobs", "1", "--json", "-q"]
    found = json.loads(subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE).stdout)
    return found.get("covering", found.get("iou"))


def felzenszwalb(options, images, timed, truth):
    def labels(path):
        image = io.imread(path)
        return next(segment_peers.felzenszwalb(image, None, (segment_peers.FELZENSZWALB_SCALE,)))[1]

    start = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    for path in timed:
        labels(path)
    spent = 1000 * (resource.getrusage(resource.RUSAGE_SELF).ru_utime - start) / len(timed)
    for path in images.iterdir():
        segment_peers.save(labels(path), options.out / "felzenszwalb" / f"{path.stem}.png")
    return spent, evaluate(options, options.out / "felzenszwalb", truth)


def measure(options):
    """Task -> name -> milliseconds and score."""
    val = options.data / "bsds500/images/val"
    timed = spaced((p for p in val.glob("*.jpg") if io.imread(p).shape[:2] == (321, 481)), options.timed)
    regions = links(spaced(val.glob("*.jpg"), options.images), options.out / "bsds")
    masks = links(spaced((options.data / "ecssd/images").glob("*.jpg"), options.images), options.out / "ecssd")
    found = {"covering": {}, "IoU": {}}
    for task, recipes, images, truth in (
        ("covering", REGIONS, regions, options.data / "bsds500/groundTruth/val"),
        ("IoU", MASKS, masks, options.data / "ecssd"),
    ):
        for recipe in recipes:
            found[task][recipe] = (recipe_ms(options, recipe, timed), recipe_score(options, recipe, images, truth))
            print(f"| {task} | `{recipe}` | {found[task][recipe][0]:.0f} | {found[task][recipe][1]:.3f} |", flush=True)
    truth = options.data / "bsds500/groundTruth/val"
    found["covering"]["scikit-image Felzenszwalb"] = felzenszwalb(options, regions, timed, truth)
    print("| covering | scikit-image Felzenszwalb | {:.0f} | {:.3f} |".format(*found["covering"]["scikit-image Felzenszwalb"]))
    return found


def draw(found, path):
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), dpi=80)
    for axis, (score, points) in zip(axes, found.items()):
        for name, (cpu, value) in points.items():
            axis.plot(cpu, value, "s" if name.startswith("scikit") else "o", ms=5)
            place = (4, -10) if name in BELOW else (4, 4)
            axis.annotate(name, (cpu, value), xytext=place, textcoords="offset points", fontsize=7)
        axis.set(xscale="log", xlabel="CPU ms per image, 481x321, one core")
        axis.set_xticks([20, 50, 100, 200, 500, 1000], ["20", "50", "100", "200", "500", "1000"])
        axis.set_xticks([], minor=True)
        axis.grid(alpha=0.3)
        axis.margins(0.25, 0.12)
    axes[0].set_ylabel("covering, BSDS500 val")
    axes[1].set_ylabel("mask IoU, ECSSD")
    figure.tight_layout()
    figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("segcut", type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("data", type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("picture", type=pathlib.Path)
    parser.add_argument("--images", type=int, default=24)
    parser.add_argument("--timed", type=int, default=10)
    options = parser.parse_args()
    print("| score | recipe | CPU ms | value |\n|---|---|---|---|")
    draw(measure(options), options.picture)


if __name__ == "__main__":
    main()
