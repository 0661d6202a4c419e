"""Speed of segcut's superpixels beside its peers, in one run: medians, one round of all methods after the other.

    speed.py --binary target/release/examples/superpixels --image PHOTO.jpg [--crates BINARY] [--threads 1 2]
             [--cases 481x321/400 …] [--rounds 5] [--only WORD …]

Larger sizes are the photograph, enlarged with Pillow's bicubic filter. CPU time is that of all threads of the
process. Every round starts a program of segcut's or of rust-peers' anew, which segments once before it is timed;
Python's peers are called once before, too.
"""
import argparse
import pathlib
import tempfile

import numpy as np
from PIL import Image

from methods import methods

CASES = ["481x321/200", "481x321/400", "481x321/1000", "1920x1080/1000", "3840x2160/1000", "3840x2160/5000"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--image", required=True, type=pathlib.Path)
    parser.add_argument("--crates")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--cases", nargs="+", default=CASES)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", default=[""])
    args = parser.parse_args()
    print("| size/segments/threads | method | wall ms | CPU ms | megapixels per CPU second |\n|---|---|---|---|---|", flush=True)
    for case in args.cases:
        size, n = case.split("/")
        width, height = map(int, size.split("x"))
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "image.png"
            Image.open(args.image).convert("RGB").resize((width, height), Image.BICUBIC).save(path)
            for threads in args.threads:
                found = methods(args.binary, args.crates, threads)
                found = {k: v for k, v in found.items() if any(word in k for word in args.only)}
                times = {name: [] for name in found}
                for _ in range(args.rounds):
                    for name, method in found.items():
                        times[name].append(method.run([path], int(n), 1, folder)[1:])
                for name, rows in times.items():
                    wall, cpu = np.median(rows, 0)
                    rate = width * height / cpu / 1e3
                    print(f"| {case}/{threads} | {name} | {wall:.1f} | {cpu:.1f} | {rate:.1f} |", flush=True)


if __name__ == "__main__":
    main()
