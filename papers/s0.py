"""The dual-stream system of NPU (MiGA 2024, track 2, first place): Table 2, row by row.

reads:  report/<run>/options.json; what its steps write
writes: report/<run>/papers/s0.{json,txt}; through its steps spotting/<run>/ and checkpoints/<run>/

    python -m papers.s0 --run R [--rows late_512,late_256]

Rows whose extractors have the same settings share them and their tokens. Members of a table lie in
spotting/<run>/members/papers/, where no blend looks.
"""

from collections.abc import Iterator
from functools import partial

from miga.engine.options import Options
from miga.engine.steps import Step
from miga.errors import run_command
from papers.table import Paper, Reached, Row, fill
from pipeline import MINUTES, SEQUENCE_PICTURE_SIZE, why_no_pictures
from spotting.candidates import read_member
from spotting.config import MEMBERS

TITLE = "the dual-stream multi-scale Transformer (NPU, MiGA 2024, track 2)"
# modality, frames a clip, window, published F1, what the paper calls it; in the order of Table 2.
ROWS = (
    ("rgb", 8, 256, 0.1835, "RGB"),
    ("rgb", 8, 512, 0.1777, "RGB"),
    ("joint", 8, 256, 0.2269, "skeleton"),
    ("joint", 8, 512, 0.2166, "skeleton"),
    ("joint", 16, 512, 0.2001, "skeleton"),
    ("joint", 32, 512, 0.1473, "skeleton"),
    ("early", 8, 256, 0.2644, "RGB and skeleton, early fusion"),
    ("late", 8, 256, 0.2490, "RGB and skeleton, late fusion"),
    ("late", 8, 512, 0.2757, "RGB and skeleton, late fusion"),
)
NOTE_OF_EARLY = "Both pathways with laterals see 32 frames of joints and 8 pictures a clip, as RGBPose-Conv3D does."


def rows(options: Options) -> list[Row]:
    return list(_rows(options))


def _rows(options: Options) -> Iterator[Row]:
    for member, clip_len, window, published, system in ROWS:
        key = f"{member}_{window}" if clip_len == 8 else f"{member}_{window}_clip{clip_len}"
        settings = ("--extractor.clip_len", str(clip_len), "--detector.window", str(window))
        yield Row(
            key,
            f"{system}, clips of {clip_len}, window {window}",
            "Table 2",
            {"f1": published},
            tuple(steps(options, member, f"papers/{key}", settings)),
            partial(reached, name=f"papers/{key}"),
            NOTE_OF_EARLY if member == "early" else "",
        )


def steps(options: Options, member: str, name: str, settings: tuple[str, ...]) -> Iterator[Step]:
    """Tokens, detectors and candidates of one row."""
    run, folds, minutes = options.run, f"folds/track2/{options.run}.csv", MINUTES[options.profile]
    pictures = f"clips/{run}/track2/rgb_{SEQUENCE_PICTURE_SIZE[options.profile]}/meta.json"
    needs_pictures = MEMBERS[member] != ("joint",)
    left_out = partial(why_no_pictures, run, "track2") if needs_pictures else str
    title = name.replace("/", "_")
    whose = ("--run", run, "--profile", options.profile, "--member", member, "--name", name)
    command = (*whose, *options.settings_of("spotting"), *settings)
    detectors = f"checkpoints/{run}/spotting_{name}/fold{{fold}}/weights.pt"
    yield Step(
        f"{title}_tokens", "spotting.train", (*command, "--stage", "tokens"), num_folds=options.num_folds,
        reads=(folds, *((pictures,) if needs_pictures else ())), minutes=2 * minutes, wants_gpu=True,
        why_left_out=left_out,
    )  # fmt: skip
    yield Step(
        f"{title}_detector", "spotting.train", (*command, "--stage", "detector"), num_folds=options.num_folds,
        reads=(folds,), fold_writes=(detectors,), writes=(f"spotting/{run}/settings/{name}.json",),
        after=(f"{title}_tokens",), minutes=2 * minutes, wants_gpu=True, why_left_out=left_out,
    )  # fmt: skip
    yield Step(
        f"{title}_propose", "spotting.propose", ("--run", run, "--member", name), takes_overwrite=False,
        reads=(detectors.format(fold="*"),), wants_gpu=True, minutes=0.2 * minutes, why_left_out=left_out,
        writes=(f"spotting/{run}/members/{name}.npz", f"spotting/{run}/members/{name}.json"),
    )  # fmt: skip


def reached(options: Options, name: str) -> Reached:
    facts = read_member(options.run, name).facts["out_of_fold"]
    note = "Strict F1, thresholds cross-fitted over people; the paper's threshold is of its test set's curve."
    return Reached({"f1": facts["strict"]["f1"]}, None, note)


def main(argv: list[str] | None = None) -> None:
    fill(Paper("s0", TITLE, rows), argv)


if __name__ == "__main__":
    run_command(main)
