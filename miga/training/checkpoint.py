"""Save and load the state of a training; nothing but tensors and plain Python values, so loading runs no code."""

import pickle
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from miga.errors import InputError
from miga.files import replacing


def save_checkpoint(path: Path, state: dict) -> None:
    """Write tensors and plain values to `path`, whole or not at all."""
    with replacing(path) as temporary:
        torch.save(state, temporary)


def load_checkpoint(path: Path, device: torch.device | str = "cpu") -> dict:
    """Read what `save_checkpoint` wrote; of a .safetensors file, its tensors as the key `model`.

    Raises:
        InputError: the file is damaged or holds anything but tensors and plain values.
    """
    try:
        if path.suffix == ".safetensors":
            return {"model": load_file(path, str(device))}
        return torch.load(path, map_location=device, weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, SafetensorError) as error:
        kind = type(error).__name__
        raise InputError(f"{path}: not a checkpoint of tensors and plain values ({kind}); delete it") from error


def fill(model: nn.Module, state: dict, path: Path) -> None:
    """Put the weights of `state`, the content of the weights.pt at `path`, into `model`, in place.

    Raises:
        InputError: they are those of another network.
    """
    try:
        model.load_state_dict(state["model"])
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(f"{path}: does not fit the network ({reason}); train it again with --overwrite") from error


def check_fingerprint(path: Path, found: dict, expected: dict) -> None:
    """Refuse to continue from, or skip because of, something made with other settings.

    Raises:
        InputError: names the first setting that differs.
    """
    for key in sorted(found.keys() | expected.keys()):
        if isinstance(found.get(key), dict) and isinstance(expected.get(key), dict):
            check_fingerprint(path, found[key], expected[key])
        elif found.get(key) != expected.get(key):
            raise InputError(
                f"{path}: made with {key} = {found.get(key)!r}, now {expected.get(key)!r}; "
                "add --overwrite to make it again, or choose another --run"
            )
