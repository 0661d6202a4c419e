"""OUT of untouched.py -> the pictures of pipelines/UNTOUCHED.md.

  python untouched_pictures.py OUT PICTURES

Writes PICTURES/untouched-{land,ultrasound,ct}.png: one row per image, columns image, truth, `ucm`, `ncut-slic-color`,
Felzenszwalb and, for objects, `foreground`. Only sets whose licence allows showing them are here.
"""

import argparse
import io
import pathlib

import numpy as np
from PIL import Image, ImageDraw

WIDTH = 160
LIMIT = 295_000
HEAD = 14
LAND = ("image", "truth", "ucm", "ncut-slic-color", "felzenszwalb")
OBJECT = (*LAND, "foreground")
SHEETS = {
    "untouched-land": (LAND, {"sentinel2": 2, "dubai_aerial": 3}),
    "untouched-ultrasound": (OBJECT, {"medical/breast_us": 4}),
    "untouched-ct": (OBJECT, {"medical/spleen_ct": 3}),
}


def outline(labels):
    """Pixels whose right or lower neighbour has another label."""
    edge = np.zeros(labels.shape, dtype=bool)
    edge[:, :-1] |= labels[:, 1:] != labels[:, :-1]
    edge[:-1] |= labels[1:] != labels[:-1]
    return edge


def panel(image, labels_path):
    """The image at the panel's size, the outlines of the labels in red."""
    height = round(image.height * WIDTH / image.width)
    painted = np.array(image.resize((WIDTH, height), Image.Resampling.LANCZOS))
    if labels_path is not None:
        labels = Image.fromarray(np.asarray(Image.open(labels_path)).astype(np.int32), mode="I")
        painted[outline(np.asarray(labels.resize((WIDTH, height), Image.Resampling.NEAREST)))] = (255, 40, 40)
    return painted


def labels_path(folder, data, column, name):
    if column == "image":
        return None
    if column == "truth":
        return data / "masks" / name
    return folder / (column if column == "felzenszwalb" else f"{column}/labels") / name


def image_row(folder, path, columns):
    data, image = path.resolve().parent.parent, Image.open(path).convert("RGB")
    panels = [panel(image, labels_path(folder, data, column, f"{path.stem}.png")) for column in columns]
    return np.hstack([np.pad(p, ((0, 3), (0, 3), (0, 0)), constant_values=255) for p in panels])


def sheet(out, columns, sets):
    rows = []
    for name, count in sets.items():
        paths = sorted((out / name / "images").iterdir())
        rows += [image_row(out / name, paths[i * len(paths) // count], columns) for i in range(count)]
    page = Image.fromarray(np.pad(np.vstack(rows), ((HEAD, 0), (0, 0), (0, 0)), constant_values=255))
    pen = ImageDraw.Draw(page)
    for place, column in enumerate(columns):
        pen.text((place * (WIDTH + 3) + 2, 1), column, fill=(0, 0, 0))
    return page


def write_small(page, path):
    """As many palette colors as the size limit allows."""
    for colors in (256, 128, 64, 40, 24):
        buffer = io.BytesIO()
        palette = page.quantize(colors, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        palette.save(buffer, "PNG", optimize=True)
        if buffer.tell() < LIMIT:
            break
    path.write_bytes(buffer.getvalue())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("pictures", type=pathlib.Path)
    options = parser.parse_args()
    for name, (columns, sets) in SHEETS.items():
        write_small(sheet(options.out, columns, sets), options.pictures / f"{name}.png")


if __name__ == "__main__":
    main()
