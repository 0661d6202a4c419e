"""segcut's superpixels and its peers as functions of image paths."""
import json
import os
import pathlib
import subprocess
import time

import numpy as np
from PIL import Image

SEGCUT = {
    "segcut slic": {"kind": "slic"},
    "segcut slic_zero": {"kind": "slic", "slic_zero": True},
    "segcut snic": {"kind": "snic"},
    "segcut etps": {"kind": "etps"},
}
CRATES = ("simple_clustering_slic", "simple_clustering_snic", "superpixel")


class Program:
    """A program that writes label PNGs and prints medians as JSON."""

    def __init__(self, arguments, threads):
        self.arguments, self.threads = arguments, threads

    def run(self, paths, n, repeats, folder):
        listing = pathlib.Path(folder) / "list.txt"
        listing.write_text("\n".join(map(str, paths)))
        command = self.arguments(n, str(listing), str(folder) if repeats == 0 else "-", str(repeats))
        environment = os.environ | {"RAYON_NUM_THREADS": str(self.threads)}
        made = json.loads(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)
        read = lambda p: np.array(Image.open(pathlib.Path(folder) / f"{p.stem}.png"))
        return (map(read, paths) if repeats == 0 else None), made["wall_ms"], made["cpu_ms"]


class Call:
    """A Python function from image and number of segments to labels."""

    def __init__(self, function):
        self.function = function

    def run(self, paths, n, repeats, _folder):
        wall, cpu = [], []

        def one(path):
            rgb = np.ascontiguousarray(Image.open(path).convert("RGB"))
            if repeats:
                self.function(rgb, n)
            for _ in range(max(1, repeats)):
                start, before = time.perf_counter(), time.process_time()
                labels = self.function(rgb, n)
                wall.append((time.perf_counter() - start) * 1e3)
                cpu.append((time.process_time() - before) * 1e3)
            return labels

        if repeats == 0:
            return map(one, paths), 0.0, 0.0
        for path in paths:
            one(path)
        return None, np.median(wall), np.median(cpu)


def methods(binary, crates, threads):
    """Name and method of everything that is installed."""
    found = {}
    for name, settings in SEGCUT.items():
        found[name] = Program(lambda n, *rest, s=settings: [binary, json.dumps(s | {"n_segments": n}), *rest], threads)
    for name in CRATES if crates else ():
        found[f"crate {name}"] = Program(lambda n, *rest, m=name: [crates, m, str(n), *rest], threads)
    try:
        from fast_slic.avx2 import SlicAvx2
        for stride in (1, 3):
            found[f"fast-slic stride {stride}"] = Call(lambda rgb, n, s=stride: SlicAvx2(
                num_components=n, subsample_stride=s, num_threads=threads).iterate(rgb, 10))
    except ImportError:
        pass
    try:
        from skimage.segmentation import slic
        found["scikit-image slic"] = Call(lambda rgb, n: slic(rgb, n_segments=n, start_label=0))
    except ImportError:
        pass
    try:
        import cv2
        cv2.setNumThreads(threads)

        def opencv(algorithm):
            def run(rgb, n):
                lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
                s = cv2.ximgproc.createSuperpixelSLIC(lab, algorithm, int(round((rgb.size / 3 / n) ** 0.5)), 10.0)
                s.iterate(10)
                s.enforceLabelConnectivity(25)
                return s.getLabels()
            return run

        def seeds(rgb, n):
            s = cv2.ximgproc.createSuperpixelSEEDS(rgb.shape[1], rgb.shape[0], 3, n, 4)
            s.iterate(rgb, 10)
            return s.getLabels()

        found |= {"OpenCV SLIC": Call(opencv(cv2.ximgproc.SLIC)), "OpenCV SLICO": Call(opencv(cv2.ximgproc.SLICO)),
                  "OpenCV SEEDS": Call(seeds)}
    except (ImportError, AttributeError):
        pass
    return found
