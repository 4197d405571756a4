"""Make torchvision importable beside a CPU build of torch: import this before torchvision or timm.

The torchvision of the package index is compiled against a GPU build of torch. Beside a CPU build its shared library
does not load, its operators `nms` and `qnms` are never declared, and torchvision's own Python code, which attaches
shape functions to them, ends the import with "operator torchvision::nms does not exist". We declare the two schemas
(from torchvision/csrc/ops) when, and only when, they are absent. A call of one then says that it is not implemented.
"""

import importlib.util
from pathlib import Path

import torch

_SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_LIBRARY = torch.library.Library("torchvision", "FRAGMENT")  # must outlive the import: schemas go with it


def _library_loads() -> bool:
    """Whether torchvision's compiled operators load beside this torch, by loading them as torchvision would."""
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return False
    for library in sorted(Path(spec.origin).parent.glob("_C*.so")) + sorted(Path(spec.origin).parent.glob("_C*.pyd")):
        try:
            torch.ops.load_library(library)
        except OSError:
            return False
        return True
    return False


def declare_missing_schemas() -> list[str]:
    """Declare what is absent; returns the names declared now."""
    if _library_loads():
        return []
    declared = []
    for name, schema in _SCHEMAS.items():
        if not hasattr(torch.ops.torchvision, name):
            _LIBRARY.define(schema)
            declared.append(name)
    return declared


DECLARED = declare_missing_schemas()
