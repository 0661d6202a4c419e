"""Folders of segment_peers.py -> the table of their scores, by `segcut eval`.

  python score_peers.py SEGCUT DATA OUT [--recipes "ncut-slic-skimage ncut-slic-color@cluster.k=2,4,8"] [--jobs N]

Every score is given at the one setting / at the best setting for the set (ODS) / at the best setting per image (OIS), each
score with its own best. `regions` are those made at the one setting. Whole-image and per-image results are left beside the
folders in OUT/scores. Recipes of segcut are run on all images of DATA into OUT and put into the same table, at their one
setting; RECIPE@TABLE.KEY=V,V,… adds ODS and OIS of that sweep.
"""

import argparse
import json
import pathlib
import subprocess
import sys

COLUMNS = {"covering": "covering", "pri": "PRI", "voi": "VoI (bits)", "f": "boundary F"}


def evaluate(options, folder, name):
    out = options.out / "scores" / name
    command = [options.segcut, "eval", "--pred", folder, "--truth", options.data, "-o", out, "--json", "-q"]
    return json.loads(subprocess.run(command + options.jobs, check=True, stdout=subprocess.PIPE).stdout)


def run_recipe(options, recipe, sweep=None):
    """The labels folder of a `segcut run`."""
    out = options.out / f"segcut-{recipe}{'-sweep' if sweep else ''}"
    command = [options.segcut, "run", "--data", options.data, "-o", out, "--recipe", recipe, "--overwrite", "-q"]
    subprocess.run(command + options.jobs + (["--sweep", sweep] if sweep else []), check=True)
    return out / "labels"


def cell(column, one, swept):
    key = "f_ods" if column == "f" else column
    values = [one[key]] + ([swept["sweep"][column][k] for k in ("ods", "ois")] if swept else [])
    return " / ".join(f"{value:.3f}" for value in values)


def row(name, one, swept):
    at = f"{swept['sweep']['covering']['ods_at']}, {swept['sweep']['f']['ods_at']}" if swept else ""
    cells = [cell(column, one, swept) for column in COLUMNS]
    return f"| {name} | {' | '.join(cells)} | {one['regions']:.1f} | {one['images']} | {at} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("segcut", type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--recipes", type=lambda text: text.split(), default=[], help="of segcut, separated by blanks")
    parser.add_argument("--jobs", default="1")
    options = parser.parse_args()
    options.jobs = ["--jobs", options.jobs]
    print(f"| method | {' | '.join(COLUMNS.values())} | regions | images | best setting: covering, F |")
    print("|" + "---|" * (len(COLUMNS) + 4))
    for folder in sorted(path.parent for path in options.out.glob("*/one")):
        swept = evaluate(options, folder / "sweep", f"{folder.name}-sweep") if (folder / "sweep").is_dir() else None
        print(row(f"scikit-image {folder.name}", evaluate(options, folder / "one", f"{folder.name}-one"), swept), flush=True)
    for entry in options.recipes:
        recipe, _, sweep = entry.partition("@")
        one = evaluate(options, run_recipe(options, recipe), recipe)
        swept = evaluate(options, run_recipe(options, recipe, sweep), f"{recipe}-sweep") if sweep else None
        print(row(f"`{recipe}`", one, swept), flush=True)


if __name__ == "__main__":
    sys.exit(main())
