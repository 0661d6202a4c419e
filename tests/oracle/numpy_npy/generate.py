"""Writes small .npy and .npz files with numpy, all of the values 0 … 11 (bool: value > 5) in the shape (2, 3, 2).

Run: python generate.py
"""

import numpy as np

values = np.arange(12).reshape(2, 3, 2)
for name in ["uint8", "uint16", "int32", "int64", "float32", "float64"]:
    np.save(f"{name}.npy", values.astype(name))
np.save("bool.npy", values > 5)
np.save("fortran.npy", np.asfortranarray(values.astype("float32")))
np.save("object.npy", np.array([None, 1], dtype=object))
np.save("big_endian.npy", values.astype(">f4"))
np.save("scalar.npy", np.float64(7))
np.savez("stored.npz", x=values.astype("float32"), y=np.arange(3))
np.savez_compressed("deflated.npz", x=values.astype("float32"), y=np.arange(3))
