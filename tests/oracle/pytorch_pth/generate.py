"""A small PyTorch checkpoint: nested dictionaries, a parameter, a view, other number types.

    python generate.py   (writes small.pth and expected.safetensors beside itself; versions in versions.txt)
"""
from pathlib import Path

import torch
from safetensors.torch import save_file

here = Path(__file__).parent
matrix = torch.arange(12, dtype=torch.float32).reshape(3, 4)
teacher = {
    "backbone.weight": torch.nn.Parameter(matrix.clone()),
    "backbone.transposed": matrix.t(),
    "backbone.row": matrix[1],
    "backbone.half": (matrix / 3).half(),
    "backbone.bfloat": (matrix / 3).bfloat16(),
    "backbone.count": torch.tensor(7),
}
torch.save({"epoch": 3, "args": {"lr": 0.1, "name": "x"}, "teacher": teacher, "list": [1, 2.5, None, True]}, here / "small.pth")
expected = {f"teacher.{k}": v.detach().contiguous().clone() for k, v in teacher.items()}
save_file(expected, here / "expected.safetensors")
(here / "versions.txt").write_text(f"torch {torch.__version__}\n")
