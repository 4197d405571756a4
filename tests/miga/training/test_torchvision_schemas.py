"""Importing torchvision and its dependants: python -m pytest tests/miga/training/test_torchvision_schemas.py"""

import subprocess
import sys

IMPORTS = """
import miga.training.torchvision_schemas as schemas
import torch, torchvision, timm, pytorchvideo.models, pytorchvideo.layers, pytorchvideo.data
assert hasattr(torch.ops.torchvision, "nms")
print(schemas.DECLARED)
print(schemas.declare_missing_schemas())
"""


def test_torchvision_timm_and_pytorchvideo_import_and_nothing_is_declared_twice():
    done = subprocess.run([sys.executable, "-c", IMPORTS], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()[-2:]
    assert first in ("['nms', 'qnms']", "[]") and second == "[]"
