"""Whole pipeline, one image, one core: decode to label map and overlay written; segcut beside scikit-image.

  python time_pipeline.py SEGCUT DATA [--images 10] [--rounds 5] [--recipes ncut-slic-skimage,ncut-slic-color]

Each round goes through the images and, image by image, runs in turn
  scikit-image   in this process, modules loaded before: imread, slic(n_segments=400, compactness=30), rag_mean_color,
                 cut_normalized, label2rgb and mark_boundaries, the label map and the overlay written as PNG
  process        `segcut segment IMAGE --recipe R --jobs 1 --threads 1`, the whole process
and once a round
  folder         the same on all images in one call: its time over the number of images
Start-up is told apart by the line `--version`: a process that works on no image.
Printed are medians of wall and of processor time (user and system) in milliseconds over rounds and images, and how many
times scikit-image's. On a busy machine read the processor time.

Then images per second of `segcut run` at 1 and 2 jobs, in turn, on the images copied --repeat times.
The images are evenly spaced among those of the data set by name. Every process gets one core, `run --jobs 2` two.
"""

import os

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{library}_NUM_THREADS"] = "1"

import argparse
import collections
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time
import warnings

import numpy as np
from skimage import color, graph, io, segmentation


def skimage_pipeline(path, out):
    image = io.imread(path)
    labels = segmentation.slic(image, n_segments=400, compactness=30, start_label=1)
    rag = graph.rag_mean_color(image, labels, mode="similarity")
    regions = graph.cut_normalized(labels, rag, rng=0)
    painted = color.label2rgb(regions, image, kind="avg", bg_label=0)
    overlay = segmentation.mark_boundaries(painted, regions)
    io.imsave(out / f"{path.stem}.labels.png", regions.astype(np.uint16), check_contrast=False)
    io.imsave(out / f"{path.stem}.overlay.png", (overlay * 255).astype(np.uint8), check_contrast=False)


def timed_call(call):
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - cpu


def timed_process(command):
    wall = time.perf_counter()
    child = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    wall = time.perf_counter() - wall
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"exit code {child.returncode}: {' '.join(map(str, command))}")
    return wall, used.ru_utime + used.ru_stime


def segment(options, images, recipe, out):
    flags = ["-o", out, "--recipe", recipe, "--jobs", 1, "--threads", 1, "-q"]
    return timed_process([options.segcut, "segment", *images, *flags])


def one_round(options, images, out, times):
    """One alternating pass; adds (wall, processor) seconds to `times` by name."""
    for path in images:
        times["scikit-image, in process"].append(timed_call(lambda: skimage_pipeline(path, out)))
        for recipe in options.recipes:
            times[f"{recipe}, process"].append(segment(options, [path], recipe, out))
    for recipe in options.recipes:
        times[f"{recipe}, folder"].append(tuple(t / len(images) for t in segment(options, images, recipe, out)))
    times["--version (start-up alone)"].append(timed_process([options.segcut, "--version"]))


def print_times(times):
    medians = {name: [1000 * statistics.median(column) for column in zip(*rows)] for name, rows in times.items()}
    peer = medians["scikit-image, in process"]
    print("| what | wall ms | processor ms | wall: scikit-image is … times | processor |\n|---|---|---|---|---|")
    for name, (wall, cpu) in sorted(medians.items(), key=lambda row: -row[1][1]):
        print(f"| {name} | {wall:.1f} | {cpu:.1f} | {peer[0] / wall:.1f} | {peer[1] / cpu:.1f} |")


def rate(options, folder, recipe, jobs, out):
    """Images per second of wall time, and the processor's share of it."""
    os.sched_setaffinity(0, options.cores[:jobs])
    flags = ["-o", out, "--overwrite", "--recipe", recipe, "--jobs", jobs, "--threads", 1, "-q"]
    wall, cpu = timed_process([options.segcut, "run", "--data", folder, *flags])
    return len(list(folder.iterdir())) / wall, cpu / wall


def print_rates(options, images, scratch):
    folder = scratch / "images"
    folder.mkdir()
    for copy in range(options.repeat):
        for path in images:
            shutil.copy(path, folder / f"{path.stem}-{copy}{path.suffix}")
    print("\n| `run`, recipe | jobs 1, images/s | jobs 2, images/s | gain | cores used at 1, 2 |\n|---|---|---|---|---|")
    for recipe in options.recipes:
        rows = collections.defaultdict(list)
        for _ in range(options.rounds):
            for jobs in (1, 2):
                rows[jobs].append(rate(options, folder, recipe, jobs, scratch / f"run{jobs}"))
        (one, used_one), (two, used_two) = ([statistics.median(c) for c in zip(*rows[jobs])] for jobs in (1, 2))
        print(f"| {recipe} | {one:.1f} | {two:.1f} | {two / one:.2f} | {used_one:.2f}, {used_two:.2f} |")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("segcut", type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("data", type=pathlib.Path, help="folder with images/SPLIT/ID.jpg")
    parser.add_argument("--images", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=10, help="copies of every image for `run`")
    parser.add_argument("--recipes", type=lambda text: text.split(","), default=["ncut-slic-skimage", "ncut-slic-color"])
    options = parser.parse_args()
    options.cores = sorted(os.sched_getaffinity(0))
    return options


def main():
    options = arguments()
    paths = sorted(options.data.glob("images/*/*.jpg"), key=lambda path: path.stem)
    images = paths[:: max(1, len(paths) // options.images)][: options.images]
    if not images:
        raise SystemExit(f"{options.data}/images holds no images")
    warnings.simplefilter("ignore")
    os.sched_setaffinity(0, options.cores[:1])
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        out = scratch / "segment"
        out.mkdir()
        one_round(options, images[:1], out, collections.defaultdict(list))  # warms caches, not counted
        times = collections.defaultdict(list)
        for _ in range(options.rounds):
            one_round(options, images, out, times)
        print(f"{len(images)} images, {options.rounds} rounds; load average at the end {os.getloadavg()[0]:.1f}\n")
        print_times(times)
        print_rates(options, images, scratch)


if __name__ == "__main__":
    main()
