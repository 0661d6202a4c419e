"""JPEGs written by Pillow and the RGB bytes that Pillow reads from them (`NAME.rgb`, 24x16).

Pillow (versions.txt) with libjpeg-turbo. Tolerance in the test: 4 levels, mean below 1; the two decoders round differently
when they upsample chroma. Run in this folder: python generate.py
"""
import io
import sys

import numpy as np
import PIL
from PIL import Image

H, W = 16, 24
y, x = np.mgrid[:H, :W]
rgb = np.stack([x * 10, y * 15, 255 - x * 5 - y * 5], axis=2).astype(np.uint8)
rgb[4:12, 8:16] = (200, 30, 60)
image = Image.fromarray(rgb)


def write(name, data):
    open(name + ".jpg", "wb").write(data)
    pixels = Image.open(io.BytesIO(data)).convert("RGB")
    open(name + ".rgb", "wb").write(np.asarray(pixels).tobytes())


def jpeg(im, **options):
    out = io.BytesIO()
    im.save(out, "JPEG", quality=60, optimize=True, **options)
    return out.getvalue()


write("rgb", jpeg(image, subsampling=0))
write("chroma420", jpeg(image, subsampling=2))
write("progressive", jpeg(image, progressive=True, subsampling=0))
write("gray", jpeg(image.convert("L")))
ink = np.dstack([255 - rgb, np.minimum(x * 4, 255).astype(np.uint8)])
cmyk = jpeg(Image.fromarray(np.ascontiguousarray(ink), "CMYK"))
write("cmyk", cmyk)
at = cmyk.find(b"Adobe")
assert cmyk[at + 11] == 0
write("ycck", cmyk[: at + 11] + b"\x02" + cmyk[at + 12 :])
write("cmyk_plain", cmyk[: at - 4] + cmyk[at + 12 :])
open("versions.txt", "w").write(f"python {sys.version.split()[0]}\npillow {PIL.__version__}\nnumpy {np.__version__}\n")
