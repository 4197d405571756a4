"""The json file that describes a data set: joints, skeleton_edges, center_joint, mirror pairs, classes and fps.

Joints are named by their number, counted from 0, or by their name. A key that is null is not there. Names are a list
in the order of their numbers, or an object that gives each number its name or each name its number.
"""

import json
import math
from pathlib import Path

from miga.errors import InputError
from miga.skeletons import Skeleton
from miga.text_files import read_text


def read_skeleton_file(path: Path) -> dict:
    """Read the file in any encoding that can be told; keys that are null are left out.

    Raises:
        InputError: it cannot be read, or is not a json object.
    """
    try:
        content = json.loads(read_text(path))
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{path}: expected a readable json file with joints and skeleton_edges ({error})") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected an object with joints and skeleton_edges, got a {type(content).__name__}")
    return {key: value for key, value in content.items() if value is not None}


def skeleton_from_dict(content: dict, source: str) -> Skeleton:
    """Build a skeleton from the keys joints, skeleton_edges, center_joint, and flip_pairs or left_joints/right_joints.

    Args:
        source: the file, for messages.
    Raises:
        InputError: a key is missing or of another form, a joint is unknown, two joints are the mirror image of one,
            or the edges do not connect every joint.
    """
    missing = [key for key in ("joints", "skeleton_edges") if key not in content]
    if missing:
        raise InputError(f"{source}: the skeleton needs the keys joints and skeleton_edges, {missing[0]} is missing")
    joints = names_of(content, "joints", source)
    skeleton = Skeleton(
        name=str(content.get("name", "custom")),
        joints=joints,
        limbs=_pairs(content["skeleton_edges"], "skeleton_edges", joints, source),
        flip_pairs=_flip_pairs(content, joints, source),
        center=_joint_number(content.get("center_joint", 0), "center_joint", joints, source),
    )
    if (skeleton.parents < 0).any():
        lonely = joints[int((skeleton.parents < 0).argmax())]
        raise InputError(f"{source}: the edges do not connect joint {lonely!r} to the center; add the missing edge")
    return skeleton


def names_of(content: dict, key: str, source: str) -> tuple[str, ...]:
    """The names under `key`, in the order of their numbers.

    Raises:
        InputError: they are in another form, or not numbered 0, 1, 2, ...
    """
    names = content[key]
    if isinstance(names, dict):
        try:
            is_by_number = all(number.isdecimal() for number in names)
            number2name = names if is_by_number else {number: name for name, number in names.items()}
            numbers = sorted(number2name, key=int)
        except (TypeError, ValueError):
            numbers = []
        if list(map(str, numbers)) != list(map(str, range(len(names)))):
            raise InputError(f"{source}: {key} is an object, expected the numbers 0, 1, 2, ... each with one name")
        names = [number2name[number] for number in numbers]
    if not isinstance(names, list) or not names:
        raise InputError(f"{source}: {key} is {_brief(names)}, expected a list of names; write them out")
    for name in names:
        if not isinstance(name, str | int):
            raise InputError(f"{source}: {key} holds {_brief(name)}, expected nothing but names; correct it")
    return tuple(map(str, names))


def fps_of(content: dict, default: float, source: str) -> float:
    """Frames a second; `default` where the file is silent.

    Raises:
        InputError: it is not a positive number.
    """
    given = content.get("fps", default)
    try:
        fps = math.nan if isinstance(given, bool) else float(given)
    except (TypeError, ValueError, OverflowError):
        fps = math.nan
    if not 0 < fps < math.inf:
        raise InputError(f"{source}: fps is {_brief(given)}, expected a positive number such as 25; correct it")
    return fps


def _flip_pairs(content: dict, joints: tuple[str, ...], source: str) -> tuple[tuple[int, int], ...]:
    """Each pair of mirror images once, however often and in whichever direction it is written."""
    key, pairs = "flip_pairs", content.get("flip_pairs")
    if pairs is None:
        key, left, right = "left_joints/right_joints", content.get("left_joints", []), content.get("right_joints", [])
        for side, given in (("left_joints", left), ("right_joints", right)):
            if not isinstance(given, list):
                raise InputError(f"{source}: {side} is {_brief(given)}, expected a list of joints; correct it")
        if len(left) != len(right):
            raise InputError(f"{source}: left_joints has {len(left)} joints, right_joints {len(right)}; expected pairs")
        pairs = list(map(list, zip(left, right, strict=True)))
    joint2mirror: dict[int, int] = {}
    kept = []
    for a, b in _pairs(pairs, key, joints, source):
        if joint2mirror.get(a) != b:
            kept.append((a, b))
        for joint, mirror in ((a, b), (b, a)):
            if joint2mirror.setdefault(joint, mirror) != mirror:
                raise InputError(f"{source}: {key}: joint {joints[joint]!r} is in two pairs, expected one; correct it")
    return tuple(kept)


def _pairs(given: object, key: str, joints: tuple[str, ...], source: str) -> tuple[tuple[int, int], ...]:
    if not isinstance(given, list):
        raise InputError(f"{source}: {key} is {_brief(given)}, expected a list of pairs of joints; correct it")
    for pair in given:
        if not isinstance(pair, list) or len(pair) != 2:
            raise InputError(
                f"{source}: {key} holds {_brief(pair)}, expected pairs of joints such as [0, 1]; correct it"
            )
    return tuple((_joint_number(a, key, joints, source), _joint_number(b, key, joints, source)) for a, b in given)


def _joint_number(given: object, key: str, joints: tuple[str, ...], source: str) -> int:
    if isinstance(given, str) and joints.count(given) == 1:
        return joints.index(given)
    if isinstance(given, str):
        raise InputError(
            f"{source}: {key}: {joints.count(given)} joints are called {given!r}, expected one; correct it"
        )
    if isinstance(given, bool) or not isinstance(given, int | float) or given not in range(len(joints)):
        raise InputError(
            f"{source}: {key}: joint number {_brief(given)} is not one of the {len(joints)} joints (counted from 0)"
        )
    return int(given)


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
