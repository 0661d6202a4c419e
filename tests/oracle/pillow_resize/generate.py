"""Pillow's bilinear, bicubic and Lanczos resampling of a small drawn image.

Run here with numpy and Pillow (versions in versions.txt). Writes
  source.csv         29 rows of 41*3 bytes
  FILTER_HxW.csv     H rows of W*3 bytes: the image in another size
  float_FILTER_HxW.csv  the first channel as 32-bit float (mode F)
"""
import numpy as np
import PIL
from PIL import Image

rng = np.random.default_rng(5)
H, W = 29, 41
y, x = np.mgrid[:H, :W]
smooth = np.stack([4 * x + 2 * y, 250 - 5 * y - x, 128 + 90 * np.sin(x / 5) * np.cos(y / 4)], 2)
# Noise, and a square of full contrast whose overshoots are cut off at 0 and 255.
image = np.clip(smooth + rng.normal(0, 25, smooth.shape), 0, 255).astype(np.uint8)
image[6:14, 20:30] = 255
image[14:20, 20:30] = 0
save = lambda name, rows, fmt: np.savetxt(name, rows.reshape(len(rows), -1), fmt, delimiter=",")
save("source.csv", image, "%d")
for name, kind in (("bilinear", Image.BILINEAR), ("bicubic", Image.BICUBIC), ("lanczos", Image.LANCZOS)):
    for height, width in ((48, 64), (16, 16), (24, 48), (29, 8), (5, 30), (5, 28)):
        save(f"{name}_{height}x{width}.csv", np.asarray(Image.fromarray(image).resize((width, height), kind)), "%d")
    plane = Image.fromarray(image[:, :, 0].astype(np.float32), mode="F").resize((24, 16), kind)
    save(f"float_{name}_16x24.csv", np.asarray(plane), "%.9g")
open("versions.txt", "w").write(f"numpy {np.__version__}\nPillow {PIL.__version__}\n")
