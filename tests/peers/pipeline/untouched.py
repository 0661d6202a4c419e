"""Data that no recipe was tuned on -> the tables of pipelines/UNTOUCHED.md and the labels that its pictures show.

  python untouched.py SEGCUT DATA OUT [--images 20] [--sets sentinel2,horses] [--sweep]

Of every set, at most --images images, evenly spaced by name, are linked into OUT/SET/images. There
  RECIPE/labels/ID.png                      `segcut run` at the recipe's one setting; `foreground` has its scores.csv
  felzenszwalb/ID.png                       felzenszwalb(scale=800, sigma=0.8, min_size=300)
and with --sweep
  RECIPE-ucm/ID.ucm.png                     `segcut segment --save ucm`, all heights of a region recipe
  felzenszwalb-sweep/SCALE/ID.png           the scales of segment_peers.py
The truth of a region set are its classes as regions; that of an object set is the object and the rest, two regions.

Printed for region methods: covering / PRI / VoI / boundary F at one setting, with --sweep the covering with the best
height or scale per image, the number of regions. For object sets also the object itself: the IoU of the best union of regions (those that have more than half
of their pixels in it), with how many regions that takes, and for masks the IoU of the foreground.
"""

import argparse
import csv
import json
import pathlib
import subprocess
import sys

import numpy as np
from PIL import Image
from skimage import io

import segment_peers

RECIPES = ("ucm", "ncut-slic-color")
REGION_SETS = ("sentinel2", "dubai_aerial", "camvid")
OBJECT_SETS = ("horses", "medical/liver_ct", "medical/spleen_ct", "medical/left_atrium_mri", "medical/breast_us")
PARALLEL = ["--jobs", "1", "--threads", "1", "-q"]


def segcut(options, *arguments):
    command = [options.segcut, *arguments, *PARALLEL]
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)


def truth_of(options, name):
    """The folder of the truth; of an object set one is written, regions 1 (the rest) and 2 (the object)."""
    if name not in OBJECT_SETS:
        return options.data / name
    folder = options.out / name / "truth"
    folder.mkdir(exist_ok=True)
    for path in (options.data / name / "masks").glob("*.png"):
        mask = np.asarray(Image.open(path).convert("L")) > 127
        Image.fromarray(1 + mask.astype(np.uint8)).save(folder / path.name)
    return folder


def evaluate(options, pred, name, *more):
    command = [options.segcut, "eval", "--pred", pred, "--truth", truth_of(options, name), "--task", "regions"]
    command += ["--allow-missing", "--jobs", "1", "--json", "-q", *more]
    return json.loads(subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE).stdout)


def link_images(options, name):
    """The images of a set that are used, as links in a folder of their own."""
    folder = options.out / name / "images"
    folder.mkdir(parents=True, exist_ok=True)
    paths = sorted(path for path in (options.data / name / "images").iterdir() if path.suffix in (".png", ".jpg"))
    count = min(options.images, len(paths))
    chosen = [paths[i * len(paths) // count] for i in range(count)]
    for path in chosen:
        link = folder / path.name
        if not link.exists():
            link.symlink_to(path.resolve())
    return sorted(folder.iterdir())


def run_recipe(options, name, recipe, images):
    """The folder of the labels, after `segcut run`; and of the ultrametric maps, where the recipe has them."""
    out = options.out / name / recipe
    truth = ["--truth", options.data / name, "--allow-missing"] if recipe == "foreground" else []
    segcut(options, "run", "--recipe", recipe, "--data", options.out / name / "images", *truth, "-o", out, "--overwrite")
    if recipe != "foreground" and options.sweep:
        segcut(options, "segment", *images, "--recipe", recipe, "--save", "ucm", "-o", f"{out}-ucm")
    return out / "labels"


def run_felzenszwalb(options, name, images):
    out, one = options.out / name, segment_peers.FELZENSZWALB_SCALE
    for path in images:
        scales = segment_peers.FELZENSZWALB_SWEEP if options.sweep else (one,)
        for scale, labels in segment_peers.felzenszwalb(io.imread(path), None, scales):
            if options.sweep:
                segment_peers.save(labels, out / "felzenszwalb-sweep" / str(scale) / f"{path.stem}.png")
            if scale == one:
                segment_peers.save(labels, out / "felzenszwalb" / f"{path.stem}.png")
    return out / "felzenszwalb"


def best_union(options, name, labels):
    """Mean IoU of the object with the regions that lie mostly in it, and how many they are."""
    found = []
    for path in sorted(labels.glob("*.png")):
        regions = np.asarray(Image.open(path)).astype(np.int64)
        truth = np.asarray(Image.open(options.data / name / "masks" / path.name).convert("L")) > 127
        size, inside = np.bincount(regions.ravel()), np.bincount(regions.ravel(), weights=truth.ravel())
        chosen = inside * 2 > size
        union = truth.sum() + (size - inside)[chosen].sum()
        found.append((inside[chosen].sum() / union, chosen.sum()))
    return np.mean(found, axis=0)


def row(options, name, method, labels, swept):
    one = evaluate(options, labels, name)
    cells = [one["covering"], one["pri"], one["voi"], one["f_ods"]]
    if options.sweep:
        heights = ["--thresholds", "50"] if swept.name.endswith("-ucm") else []
        cells.append(evaluate(options, swept, name, *heights)["sweep"]["covering"]["ois"])
    text = f"| {name} | {one['images']} | {method} | {' | '.join(f'{cell:.3f}' for cell in cells)} |"
    text += f" {one['regions']:.0f} |"
    if name in OBJECT_SETS:
        iou, regions = best_union(options, name, labels)
        text += f" {iou:.3f} ({regions:.1f}) |"
    print(text, flush=True)


def score_set(options, name):
    images = link_images(options, name)
    for recipe in RECIPES:
        labels = run_recipe(options, name, recipe, images)
        row(options, name, f"`{recipe}`", labels, options.out / name / f"{recipe}-ucm")
    labels = run_felzenszwalb(options, name, images)
    row(options, name, "Felzenszwalb", labels, options.out / name / "felzenszwalb-sweep")
    if name in OBJECT_SETS:
        run_recipe(options, name, "foreground", images)
        with open(options.out / name / "foreground/scores.csv") as file:
            rows = list(csv.DictReader(file))
        means = [np.mean([float(r[key]) for r in rows]) for key in ("iou", "f_2px")]
        print(f"| {name} | {len(rows)} | `foreground` | IoU {means[0]:.3f}, outline F {means[1]:.3f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("segcut", type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("data", type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--sweep", action="store_true", help="also the best height or scale per image")
    parser.add_argument("--sets", type=lambda text: text.split(","), default=[*REGION_SETS, *OBJECT_SETS])
    options = parser.parse_args()
    best = " covering, best per image |" if options.sweep else ""
    print(f"| data | images | method | covering | PRI | VoI | boundary F |{best} regions | best union |")
    print("|" + "---|" * (10 if options.sweep else 9), flush=True)
    for name in options.sets:
        score_set(options, name)


if __name__ == "__main__":
    sys.exit(main())
