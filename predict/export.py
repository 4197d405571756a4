"""A shipped blend in one folder, which predicts without the training data.

    model.json                          form, entries and their settings, classes, skeleton, weights of the blend
    weights/<entry>/fold<k>.safetensors the network of a fold

Entries that look at no clip, whatever is given of it, are left out.
"""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from ensemble.entries import config_from, entry_of
from ensemble.mixture import Blend
from miga.errors import InputError
from miga.files import read_json, write_json
from miga.skeleton_file import skeleton_from_dict
from miga.training.checkpoint import load_checkpoint
from predict.shipped import COMBINATIONS, Member, Shipped, keeping

FORM = 1  # raise it when a folder of an earlier version can no longer be read as it was meant
AGAIN = "export it again with this version: python -m predict --run RUN --export FOLDER"


def write_export(folder: Path, shipped: Shipped) -> int:
    """Write the folder, whole or not at all; returns its bytes.

    Raises:
        InputError: something is there already, or a network is not here.
    """
    if folder.exists():
        raise InputError(f"--export {folder}: is there already; choose another folder, or remove it")
    every = {member.name: member for given in COMBINATIONS for member in shipped.used(given)}
    kept = keeping(shipped, [member for member in shipped.members if member.name in every])
    making = folder.with_name(f".{folder.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    for member in every.values():
        for fold, path in enumerate(member.weights):
            if not path.exists():
                raise InputError(f"{path}: not there; train {member.name} first, or copy it from where it was trained")
            tensors: dict[str, torch.Tensor] = load_checkpoint(path)["model"]
            target = making / "weights" / member.name / f"fold{fold}.safetensors"
            target.parent.mkdir(parents=True, exist_ok=True)
            save_file({name: tensor.clone().contiguous() for name, tensor in tensors.items()}, target)
    write_json(making / "model.json", {"form": FORM, **plain(kept)})
    making.rename(folder)
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def read_export(folder: Path) -> Shipped:
    """What `write_export` wrote.

    Raises:
        InputError: no such folder, or one of another version.
    """
    path = folder / "model.json"
    if not path.exists():
        raise InputError(f"--model {folder}: has no model.json; expected a folder made by python -m predict --export")
    facts = read_json(path, AGAIN)
    if facts.get("form") != FORM:
        raise InputError(f"{path}: an export of another version (form {facts.get('form')}, expected {FORM}); {AGAIN}")
    try:
        return _shipped(facts, folder)
    except (KeyError, TypeError) as error:
        raise InputError(f"{path}: not as it was written ({type(error).__name__}: {error}); {AGAIN}") from error


def plain(shipped: Shipped) -> dict:
    """The plain values of a shipped blend, for a json file; members without their weights' paths."""
    blend = shipped.blend
    return {
        "run": shipped.run,
        "members": [_plain_member(member) for member in shipped.members],
        "parts": [[_plain_member(member) for member in part] for part in shipped.parts],
        "blend": {
            "weights": blend.weights.tolist(),
            "temperatures": blend.temperatures.tolist(),
            "alphas": blend.alphas.tolist(),
            "reading": blend.reading,
            "tau": blend.tau,
            "pooled": blend.pooled,
        },
        "prior": shipped.prior.tolist(),
        "classes": list(shipped.classes),
        "mirror": None if shipped.mirror is None else shipped.mirror.tolist(),
        "skeleton": shipped.skeleton.to_dict(),
        "num_persons": shipped.num_persons,
        "size": list(shipped.size),
        "fps": shipped.fps,
        "is_simulated": shipped.is_simulated,
        "notes": list(shipped.notes),
    }


def _plain_member(member: Member) -> dict:
    return {
        "name": member.name,
        "config": {k: list(v) if isinstance(v, tuple) else v for k, v in dataclasses.asdict(member.config).items()},
        "classes": list(member.classes),
        "mirror": None if member.mirror is None else member.mirror.tolist(),
        "num_folds": len(member.weights),
    }


def _shipped(facts: dict, folder: Path) -> Shipped:
    blend, prior = facts["blend"], np.array(facts["prior"])
    arrays = {name: np.array(blend[name], float) for name in ("weights", "temperatures", "alphas")}
    mirror, size = facts["mirror"], facts["size"]
    return Shipped(
        run=facts["run"],
        members=tuple(_member(one, folder) for one in facts["members"]),
        parts=tuple(tuple(_member(one, folder) for one in part) for part in facts["parts"]),
        blend=Blend(**arrays, reading=blend["reading"], tau=blend["tau"], prior=prior, pooled=blend["pooled"]),
        prior=prior,
        classes=tuple(facts["classes"]),
        mirror=None if mirror is None else np.array(mirror),
        skeleton=skeleton_from_dict(facts["skeleton"], str(folder / "model.json")),
        num_persons=facts["num_persons"],
        size=(size[0], size[1]),
        fps=facts["fps"],
        is_simulated=facts["is_simulated"],
        notes=tuple(facts["notes"]),
    )


def _member(facts: dict, folder: Path) -> Member:
    own = folder.resolve() / "weights" / facts["name"]
    return Member(
        name=facts["name"],
        config=config_from(facts["config"], entry_of(facts["name"]), folder / "model.json", AGAIN),
        classes=tuple(facts["classes"]),
        mirror=None if facts["mirror"] is None else np.array(facts["mirror"]),
        weights=tuple(own / f"fold{fold}.safetensors" for fold in range(facts["num_folds"])),
    )
