"""The annotation pickle of pyskl: `{'split': {name: [frame_dir, ...]}, 'annotations': [{frame_dir, label, ...}]}`.

One clip is one recording, because nothing in the file says which clips belong together. The splits to train and to
test on are found by their names; where that is not clear a person says which. Source: pyskl's documentation.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from miga.errors import InputError
from miga.frame_base import FrameBase
from miga.ids import natural_key
from miga.skeleton_file import fps_of, names_of, read_skeleton_file, skeleton_from_dict
from miga.skeletons import IMIGUE_22, Skeleton, skeleton_of_size
from recordings.joint_units import JointUnits
from recordings.listing import Entry
from recordings.readers.pyskl_annotation import fault_of, is_integer, joints_of, may_be_exchanged, size_of
from recordings.readers.safe_pickle import load_pickle
from recordings.recording import LONGEST, Options, Problems, Recording, Segment, Source

DEFAULT_FPS = 25.0
# In a few clips guessed legs lie below the picture and would lie in a higher one; more of them are worth a word.
EXCHANGED_SHARE = 0.1
MAX_CLASSES = 10_000  # a label beyond is a slip, unless the side-car file names its class
_SPLIT_NAME = re.compile(
    r"(?P<before>(?:.*[_-])?)(?P<word>train|valid|validation|val|test)(?P<after>(?:[_-]?\d+|[_-].*)?)", re.I
)


def open_pyskl(root: Path, entries: list[Entry], options: Options, problems: Problems) -> Source:
    """Load the pickle, choose the splits and the joint layout."""
    pickles = [entry.path for entry in entries if entry.path.suffix in (".pkl", ".pickle")]
    if len(pickles) > 1:
        raise InputError(f"{root}: holds {len(pickles)} pickles ({pickles[0].name}, ...); give the path of one of them")
    path = pickles[0]
    content = load_pickle(path)
    if not (isinstance(content, dict) and isinstance(content.get("annotations"), list)):
        raise InputError(f"{path}: expected a dict with the keys split and annotations, got {_brief(content)}")
    split2names = content.get("split")
    if not isinstance(split2names, dict):
        raise InputError(
            f"{path}: no named splits, expected split = {{name: [frame_dir, ...]}}; add them to the pickle"
        )
    split2names = _named_as_text(path, split2names)
    train_names, test_names = choose_splits(path, list(split2names), options)
    clip2split = _clip_splits(path, split2names, train_names, test_names, problems)
    annotations, unusable = _checked(path, content["annotations"], clip2split, problems)
    num_joints = _num_joints(path, annotations)
    sidecar_path = options.skeleton or path.with_name(f"{path.stem}_meta.json")
    sidecar = read_skeleton_file(sidecar_path) if options.skeleton or sidecar_path.exists() else {}
    skeleton = _skeleton_of(path, num_joints, sidecar, sidecar_path)
    train_labels = [a["label"] for a in annotations if clip2split[a["frame_dir"]][0] == "train"]
    classes = _classes_of(sidecar, str(sidecar_path), train_labels)
    fps = fps_of(sidecar, DEFAULT_FPS, str(sidecar_path))

    def recordings() -> Iterator[Recording]:
        yield from _recordings(path, annotations, unusable, clip2split, skeleton, classes, fps, problems)

    return Source(
        kind="pyskl",
        skeleton=skeleton,
        classes=classes,
        codes=tuple(range(len(classes))),
        frame_base=FrameBase(0),
        num_persons=max(1, *(len(a["keypoint"]) for a in annotations)),
        recordings=recordings,
        fingers_may_be_swapped=skeleton is IMIGUE_22,
    )


def choose_splits(path: Path, names: list[str], options: Options) -> tuple[list[str], list[str]]:
    """Names of the splits to train on and to test on: the person's, else the only sensible pair.

    A pair is train (with val, if there is one) and test, or train and val where no test exists, with the same words
    around: train1/test1, xsub_train/xsub_val.

    Raises:
        InputError: an unknown name was asked for, or there is not exactly one pair.
    """
    listed = f"its splits are {', '.join(names) or 'none'}"
    if options.train_split or options.test_split:
        for name in (*options.train_split, *options.test_split):
            if name not in names:
                raise InputError(f"{path}: no split is called {name!r}; {listed}")
        if not options.train_split:
            raise InputError(f"{path}: --test-split without --train-split; say both ({listed})")
        return list(options.train_split), list(options.test_split)
    groups: dict[tuple[str, str], dict[str, str]] = {}
    for name in names:
        match = _SPLIT_NAME.fullmatch(name)
        if match:
            word = match["word"].lower()
            part = word if word in ("train", "test") else "val"
            groups.setdefault((match["before"], match["after"]), {})[part] = name
    pairs = []
    for group in groups.values():
        if {"train", "test"} <= group.keys():
            pairs.append(([group[part] for part in ("train", "val") if part in group], [group["test"]]))
        elif {"train", "val"} <= group.keys():
            pairs.append(([group["train"]], [group["val"]]))
    if len(pairs) != 1:
        raise InputError(
            f"{path}: {len(pairs)} pairs of train and test splits, expected one; {listed}: choose with "
            "--train-split NAME --test-split NAME"
        )
    return pairs[0]


def _named_as_text(path: Path, split2names: dict) -> dict[str, object]:
    """The splits by names as --train-split takes them: people number theirs."""
    named = {str(name): clip_ids for name, clip_ids in split2names.items()}
    if len(named) < len(split2names):
        raise InputError(f"{path}: two splits have one name, its splits are {list(split2names)}; rename one")
    return named


def _clip_splits(
    path: Path, split2names: dict, train_names: list[str], test_names: list[str], problems: Problems
) -> dict[str, tuple[str, str]]:
    """Clip id -> (split, name of the split in the file)."""
    clip2split: dict[str, tuple[str, str]] = {}
    for split, names in (("train", train_names), ("test", test_names)):
        for name in names:
            if not isinstance(split2names[name], list | tuple | np.ndarray):
                raise InputError(
                    f"{path}: split {name} is a {type(split2names[name]).__name__}, expected a list of names"
                )
            for clip_id in map(str, split2names[name]):
                earlier = clip2split.setdefault(clip_id, (split, name))
                if earlier[0] != split:
                    problems.fatal.append(
                        f"{path}: clip {clip_id} is in the splits {earlier[1]} and {name}; take it out of one"
                    )
    return clip2split


def _checked(path: Path, annotations: list, clip2split: dict, problems: Problems) -> tuple[list[dict], dict[str, dict]]:
    """The annotations in use, in natural order of their names; what is wrong with the others is reported.

    Returns:
        those in use, and by its name what there is of each test clip that cannot be used.
    """
    name2annotation: dict[str, dict] = {}
    unusable: dict[str, dict] = {}
    for number, annotation in enumerate(annotations):
        if not isinstance(annotation, dict) or "frame_dir" not in annotation:
            problems.leave_out(f"annotation {number}", f"{path}: annotation {number} has no frame_dir; add its name")
            continue
        clip_id = str(annotation["frame_dir"])
        if clip_id not in clip2split:
            continue
        if clip_id in name2annotation:
            problems.fatal.append(f"{path}: clip {clip_id} is there twice (annotation {number}); remove one of them")
        split = clip2split[clip_id][0]
        if split == "test" and not is_integer(annotation.get("label")):
            annotation = {**annotation, "label": -1}  # an unlabelled test: the clip can be named all the same
        reason = fault_of(annotation)
        if reason:
            problems.unusable(split, clip_id, f"{path}: clip {clip_id}: {reason}; correct it")
            if split == "test":
                unusable[clip_id] = annotation
            continue
        name2annotation[clip_id] = {**annotation, "frame_dir": clip_id}
    faulty = {what for what, _ in problems.bad}
    for clip_id, (split, name) in clip2split.items():
        if clip_id not in name2annotation and clip_id not in faulty and clip_id not in unusable:
            reason = f"split {name} names clip {clip_id}, which has no annotation; add it"
            problems.unusable(split, clip_id, f"{path}: {reason}")
            if split == "test":
                unusable[clip_id] = {}
    if not name2annotation:
        problems.stop_if_any(skip_bad_clips=False)
        raise InputError(f"{path}: none of the annotations belongs to the chosen splits; choose others")
    return [name2annotation[clip_id] for clip_id in sorted(name2annotation, key=natural_key)], unusable


def _recordings(
    path: Path,
    annotations: list[dict],
    unusable: dict[str, dict],
    clip2split: dict[str, tuple[str, str]],
    skeleton: Skeleton,
    classes: tuple[str, ...],
    fps: float,
    problems: Problems,
) -> Iterator[Recording]:
    test_labels = [a["label"] for a in annotations if clip2split[a["frame_dir"]][0] == "test"]
    # Unlabelled test sets carry a dummy; one that is no class shows that none of them is to be believed.
    has_test_labels = all(0 <= label < len(classes) for label in test_labels)
    if not has_test_labels:
        problems.notes.append("the labels of the test split are not classes: labels unknown")
    exchanged, units = [], JointUnits()
    for annotation in annotations:
        clip_id = annotation["frame_dir"]
        split, name = clip2split[clip_id]
        num_frames, num_joints = annotation["keypoint"].shape[1:3]
        if num_joints != skeleton.num_joints:
            problems.unusable(
                split,
                clip_id,
                f"{path}: clip {clip_id} has {num_joints} joints, expected {skeleton.num_joints} as the first clip has",
            )
            if split == "test":
                unusable[clip_id] = annotation
            continue
        label = int(annotation["label"])
        if split == "train" and not 0 <= label < len(classes):
            problems.leave_out(
                clip_id, f"{path}: clip {clip_id}: label {label}, expected 0..{len(classes) - 1}; correct it"
            )
            continue
        joints, size = joints_of(annotation), size_of(annotation)
        units.add(clip_id, joints)
        if size and may_be_exchanged(joints, *size):
            exchanged.append(clip_id)
        yield Recording(
            video_id=clip_id,
            split=split,
            source_split=name,
            joints=joints,
            segments=[Segment(clip_id, label if split == "train" or has_test_labels else -1, 0, num_frames)],
            fps=fps,
            size=size,
        )
    problems.fatal += units.faults(path)
    if len(exchanged) > EXCHANGED_SHARE * len(annotations):
        problems.notes.append(
            f"{len(exchanged)} clips ({exchanged[0]}, ...) have many joints outside their img_shape (height, width), "
            "and none if its two numbers change places: see whether they should"
        )
    for clip_id, annotation in unusable.items():
        label, num_frames = annotation.get("label", -1), annotation.get("total_frames", 0)
        label = int(label) if has_test_labels and 0 <= label < len(classes) else -1
        num_frames = int(num_frames) if is_integer(num_frames) and 0 < num_frames <= LONGEST else 0
        segment = Segment(clip_id, label, 0 if num_frames else -1, num_frames)
        split, name = clip2split[clip_id]
        yield Recording(clip_id, split, name, np.zeros((0, 1, skeleton.num_joints, 3), np.float32), [segment], fps)


def _num_joints(path: Path, annotations: list[dict]) -> int:
    return int(np.shape(annotations[0]["keypoint"])[2])


def _skeleton_of(path: Path, num_joints: int, sidecar: dict, sidecar_path: Path) -> Skeleton:
    if "skeleton_edges" in sidecar:
        skeleton = skeleton_from_dict(sidecar, str(sidecar_path))
        if skeleton.num_joints != num_joints:
            raise InputError(
                f"{sidecar_path}: names {skeleton.num_joints} joints, but {path} has {num_joints}; correct it"
            )
        return skeleton
    known = skeleton_of_size(num_joints)
    if known is None:
        raise InputError(
            f"{path}: {num_joints} joints of an unknown layout; write {path.stem}_meta.json beside it (or give "
            "--skeleton FILE.json) with the keys joints (names), skeleton_edges (pairs), center_joint, left_joints, "
            "right_joints, classes (names)"
        )
    return known


def _classes_of(sidecar: dict, source: str, train_labels: list[int]) -> tuple[str, ...]:
    if "classes" in sidecar:
        return names_of(sidecar, "classes", source)
    return tuple(f"class {label}" for label in range(min(max(train_labels, default=-1) + 1, MAX_CLASSES)))


def _brief(content: object) -> str:
    return (
        f"a dict with {', '.join(map(str, content))[:60]}"
        if isinstance(content, dict)
        else f"a {type(content).__name__}"
    )
