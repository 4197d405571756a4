"""Starting a network from a checkpoint that someone else trained, and saying exactly what was taken from it.

Key layouts: our networks name their parts as the public PoseC3D and RGBPose-Conv3D checkpoints do (pyskl, mmaction2):
a dict with `state_dict`, prefixes `backbone.` and `cls_head.`.
"""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from miga.errors import InputError

STEM_SUFFIX = "conv1.conv.weight"  # of the first layer; a block's conv1 has the same ending but sits in a `layer`
NAMES_SHOWN = 20
OWN = "weights.pt of an own fold"  # what fits where there is no public file


@dataclass
class WeightsReport:
    """What `load_weights` did, by the names of the model's parameters and buffers."""

    loaded: list[str] = field(default_factory=list)  # taken from the file, adapted ones included
    missing: list[str] = field(default_factory=list)  # in the model, not in the file: left as initialised
    unexpected: list[str] = field(default_factory=list)  # in the file, not in the model: ignored
    reshaped: dict[str, str] = field(default_factory=dict)  # other shape in the file: what became of it
    share: float = 0.0  # of the model's parameters, by count of numbers

    def describe(self) -> str:
        """A few lines for the log: counts first, then the names that need a look."""
        lines = [
            f"weights: {len(self.loaded)} tensors loaded ({self.share:.1%} of the parameters), "
            f"{len(self.missing)} missing, {len(self.unexpected)} unexpected, {len(self.reshaped)} of another shape"
        ]
        lines += [f"  of another shape: {name}: {what}" for name, what in self.reshaped.items()]
        for title, names in (("missing in the file", self.missing), ("unexpected in the file", self.unexpected)):
            if names:
                more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
                lines.append(f"  {title}: {', '.join(names[:NAMES_SHOWN])}{more}")
        return "\n".join(lines)


def load_weights(
    model: nn.Module,
    path: str | Path,
    rename: Mapping[str, str] | None = None,
    min_share: float = 0.5,
    stem_map: Mapping[int, int] | None = None,
    fits: str = OWN,
) -> WeightsReport:
    """Copy into `model`, in place, every tensor of a checkpoint that fits it, and print what did and what did not.

    Args:
        model: the network to start.
        path: a `.pth`/`.pt` file holding a state dict or a dict with the key `state_dict`, or a `.safetensors` file.
        rename: prefixes of the file's keys and what to call them instead, such as {"backbone.": "backbone.pose_path."};
            the longest that fits is taken.
        min_share: least share of the model's parameters that must come from the file.
        stem_map: for a stem of other width, our input channel -> the file's (`miga.skeletons.IMIGUE_TO_COCO`); our
            other channels start from the mean of the file's. Without it a stem of other width is left as initialised.
        fits: in words, which files fit this network, for the message.
    Returns:
        The report that was printed. A classifier for other classes is left as initialised and reported.
    Raises:
        InputError: the file is missing, damaged, holds code, or fits less than `min_share` of the model.
    """
    return load_tensors(model, read_state_dict(path), str(path), rename, min_share, stem_map, fits)


def load_tensors(
    model: nn.Module,
    tensors: Mapping[str, Tensor],
    origin: str,
    rename: Mapping[str, str] | None = None,
    min_share: float = 0.5,
    stem_map: Mapping[int, int] | None = None,
    fits: str = OWN,
) -> WeightsReport:
    """The same for tensors already in memory, which `origin` names in messages: an inflated 2D network, for example."""
    source = {_renamed(key, rename or {}): tensor for key, tensor in tensors.items()}
    target = model.state_dict()
    report = WeightsReport(
        missing=[key for key in target if key not in source],
        unexpected=[key for key in source if key not in target],
    )
    fitting: dict[str, Tensor] = {}
    for key, ours in target.items():
        theirs = source.get(key)
        if theirs is None:
            continue
        if theirs.shape == ours.shape:
            fitting[key] = theirs
        elif stem_map is not None and _is_stem(key) and _same_but_channels(theirs, ours):
            fitting[key] = _widen_stem(theirs, ours.shape[1], stem_map, origin)
            report.reshaped[key] = f"adapted from {theirs.shape[1]} to {ours.shape[1]} input channels"
        else:
            report.reshaped[key] = f"left as initialised: {tuple(theirs.shape)} in the file, {tuple(ours.shape)} here"
    report.loaded = [key for key in target if key in fitting]
    parameters = {name: parameter.numel() for name, parameter in model.named_parameters()}
    report.share = sum(parameters.get(key, 0) for key in fitting) / max(1, sum(parameters.values()))
    print(report.describe())
    if report.share < min_share:
        raise InputError(
            f"{origin}: only {report.share:.1%} of the model's parameters are in this file, expected at least "
            f"{min_share:.0%}; it belongs to another network or to one of another size (see the names above): this one "
            f"takes {fits}"
        )
    model.load_state_dict(fitting, strict=False)
    return report


def read_state_dict(path: str | Path) -> dict[str, Tensor]:
    """Read the tensors of a checkpoint without running any code that it may contain.

    Raises:
        InputError: no such file, not a checkpoint, a pickle with more than tensors and plain values, or no tensors.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such weights file; give the path of a .pth, .pt or .safetensors file")
    content: Any
    try:
        if path.suffix == ".safetensors":
            content = load_file(path)
        else:
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path}: not loaded, because this pickle is damaged or would run code ({_reason(error)}); save its "
            "state dict alone, or as .safetensors, with the program that made it"
        ) from error
    except (RuntimeError, EOFError, SafetensorError, KeyError, AttributeError) as error:
        raise InputError(
            f"{path}: not a readable weights file ({_reason(error)}); copy or download it again"
        ) from error
    # Public checkpoints, the weights.pt of our own folds, pytorchvideo's.
    for key in ("state_dict", "model", "model_state"):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    tensors = {k: v for k, v in content.items() if isinstance(v, Tensor)} if isinstance(content, dict) else {}
    if not tensors:
        raise InputError(
            f"{path}: expected a state dict, or a dict with the key 'state_dict', but found no tensors in it"
        )
    return tensors


def _renamed(key: str, rename: Mapping[str, str]) -> str:
    for prefix in sorted(rename, key=len, reverse=True):
        if key.startswith(prefix):
            return rename[prefix] + key.removeprefix(prefix)
    return key


def _is_stem(key: str) -> bool:
    return key.endswith(STEM_SUFFIX) and "layer" not in key


def _same_but_channels(a: Tensor, b: Tensor) -> bool:
    return a.ndim == b.ndim and a.shape[:1] + a.shape[2:] == b.shape[:1] + b.shape[2:]


def _widen_stem(weight: Tensor, num_channels: int, stem_map: Mapping[int, int], origin: str) -> Tensor:
    """Arrange a stem's (C, J, t, h, w) input channels J for our V joints; those without a counterpart get the mean."""
    wrong = [(ours, theirs) for ours, theirs in stem_map.items() if ours >= num_channels or theirs >= weight.shape[1]]
    if wrong:
        raise InputError(
            f"{origin}: the stem map sends channel {wrong[0][1]} of {weight.shape[1]} to channel {wrong[0][0]} of "
            f"{num_channels}; pass a map made for these two skeletons"
        )
    widened = weight.mean(dim=1, keepdim=True).repeat(1, num_channels, *[1] * (weight.ndim - 2))
    for ours, theirs in stem_map.items():
        widened[:, ours] = weight[:, theirs]
    return widened


def _reason(error: Exception) -> str:
    """The first sentence of an error, on one line."""
    return " ".join(str(error).split(". ")[0].split())[:200] or type(error).__name__
