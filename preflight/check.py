"""Look at everything that a run will need before anything is trained, and list it.

reads:  report/<run>/options.json, clips/<run>/, the files that the options and settings name
writes: report/<run>/check.txt

    python -m preflight.check --run mine        (bash run.sh --run mine --check prepares the recordings first)

Everything that is wrong is told at once. Whether files to start from fit their networks, `preflight.rehearsal` tells.
"""

import argparse
import dataclasses
import importlib
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from miga.clips import Clips, load_clips, videos_as_clips
from miga.engine.options import Options, options_of
from miga.errors import InputError, run_command
from miga.files import replacing
from miga.paths import check_run_name, check_txt
from miga.rgb_store import RAW_SIZE, check_training_clips_have_rgb, has_rgb
from miga.training.config import FitConfig, override, parse_overrides
from pipeline import PICTURE_SIZE, RGB_FOLDERS, SEQUENCE_PICTURE_SIZE, entries_of
from recordings.frames import count_frames
from recordings.rgb_part import tail_of
from spotting.config import override_parts
from spotting.profiles import PROFILES as SPOTTING_PROFILES
from submissions.check import check_sample

JPEG_BYTES_PER_PIXEL = 0.35  # of the stored pictures, measured at quality 90 with full colour
SPARE_DISK = 1.2
GB = 1e9

Check = tuple[str, Callable[[], str]]  # what is looked at; says what was found, or raises InputError


def checks_of(options: Options, clips: dict[str, Clips]) -> Iterator[Check]:
    """Everything to look at, by name. `clips`: of each track that the run has."""
    yield "settings", lambda: check_settings(options)
    if "track1" in clips:
        configs = entry_configs(options, clips["track1"])
        for _, name, config in configs:
            if sources_of(config):
                yield name, partial(check_sources, config, clips["track1"])
        if any(folder in RGB_FOLDERS for folder, _, _ in configs):
            yield "pictures", lambda: check_pictures(clips["track1"])
        if options.sample:
            yield "sample file", lambda: check_sample(options.run, Path(options.sample))
        if options.answers:
            yield "answers", lambda: check_sample(options.run, Path(options.answers))
    if "track2" in clips:
        yield "films of track 2", lambda: check_films(clips["track2"])
    yield "disk", lambda: check_disk(options, clips)
    yield "device", lambda: check_device(options)


def check_settings(options: Options) -> str:
    """Every `--set` names a folder and a field that exist."""
    folders = {folder for folder, _, _ in entries_of(options.profile)} | {"spotting"}
    for text in options.settings:
        if text.partition(".")[0] not in folders:
            raise InputError(f"--set {text}: no such folder; expected one of {', '.join(sorted(folders))}")
    for folder, _, arguments in entries_of(options.profile):
        _config_of(options, folder, arguments)
    override_parts(SPOTTING_PROFILES[options.profile], parse_overrides(options.settings_of("spotting")))
    return f"{len(options.settings)} changed by --set"


def entry_configs(options: Options, clips: Clips) -> list[tuple[str, str, FitConfig]]:
    """Folder, name and resolved settings of every entry that will be trained; on pictures only where there are some."""
    wanted = [e for e in entries_of(options.profile) if e[0] not in RGB_FOLDERS or has_rgb(clips)]
    return [(folder, name, _config_of(options, folder, arguments)) for folder, name, arguments in wanted]


def _config_of(options: Options, folder: str, arguments: tuple[str, ...]) -> FitConfig:
    profiles = importlib.import_module(f"models.{folder}.config").PROFILES
    return override(profiles[options.profile], parse_overrides([*arguments, *options.settings_of(folder)]))


def sources_of(config: FitConfig) -> dict[str, str]:
    """The settings that name a file or a download: field -> value."""
    fields = [f.name for f in dataclasses.fields(config)]
    named = {name: getattr(config, name) for name in fields if name.startswith("weights") or name == "vectors"}
    found = {name: value for name, value in named.items() if value}
    pretrained = getattr(config, "pretrained", "none")
    if pretrained != "none":
        found["pretrained"] = pretrained
    return found


def check_sources(config: FitConfig, clips: Clips) -> str:
    """Files that a training starts from can be read, and word vectors know every word of the classes."""
    from miga.training.weights import read_state_dict

    found = []
    for field, value in sources_of(config).items():
        if field == "vectors":  # a setting of that entry alone, so its folder is there
            importlib.import_module("models.semantic.vectors").name_vectors(clips.classes, value)
        elif value != "imagenet":
            read_state_dict(value)
        found.append(f"{field} {value}")
    return ", ".join(found)


def check_pictures(clips: Clips) -> str:
    if not has_rgb(clips):
        return "none; the entries on pictures are left out"
    check_training_clips_have_rgb(clips)
    return f"{int(clips.has_frames.sum())} of {len(clips)} clips have them, all that are trained on"


def check_films(clips: Clips) -> str:
    """All recordings that are trained on are filmed, or none is, and their films are as long as their skeletons."""
    videos = videos_as_clips(clips)
    if not has_rgb(videos):
        return "none; track 2 looks at the skeleton alone"
    check_training_clips_have_rgb(videos)
    for row in videos.table[(videos.table.split == "train")].itertuples():
        there, wanted = count_frames(row.frames_path), int(row.num_frames)
        if there < wanted and not tail_of(there, wanted, wanted):
            raise InputError(
                f"{row.frames_path}: {there} frames, but the skeleton of {row.video_id} has {wanted}; copy the film "
                "again, or prepare the recordings without --rgb2"
            )
    return f"{int(videos.has_frames.sum())} of {len(videos)} recordings have them, all that are trained on"


def check_disk(options: Options, clips: dict[str, Clips]) -> str:
    """Enough room for the stored pictures, the checkpoints and the frame tokens."""
    needed = bytes_needed(options, clips)
    free = shutil.disk_usage(".").free
    if needed * SPARE_DISK > free:
        raise InputError(
            f"the run will write about {needed / GB:.1f} GB and {free / GB:.1f} GB are free; free some, or run from a "
            "folder on another disk"
        )
    return f"about {needed / GB:.1f} GB will be written, {free / GB:.0f} GB are free"


def bytes_needed(options: Options, clips: dict[str, Clips]) -> float:
    total = 0.0
    if "track1" in clips:
        track1 = clips["track1"]
        size = PICTURE_SIZE[options.profile]
        per_pixel = 3.0 if size <= RAW_SIZE else JPEG_BYTES_PER_PIXEL
        total += track1.table.num_frames[track1.has_frames].sum() * size**2 * per_pixel
        # Weights, and while it trains the checkpoint: weights, momentum and moving average.
        total += len(list(entries_of(options.profile))) * options.num_folds * CHECKPOINT_BYTES[options.profile]
    if "track2" in clips:
        config = SPOTTING_PROFILES[options.profile]
        channels = config.extractor.base_channels * 16 + clips["track2"].num_classes + 1
        views = max(2, config.extractor.num_views)
        videos = videos_as_clips(clips["track2"])
        frames, filmed = videos.table.num_frames.sum(), videos.table.num_frames[videos.has_frames].sum()
        total += frames * channels * 4 * views * options.num_folds
        channels = config.rgb.base_channels * 32 if config.extractor.tokens == "features" else 2 * videos.num_classes
        total += filmed * channels * 4 * views * options.num_folds
        size = SEQUENCE_PICTURE_SIZE[options.profile]
        total += filmed * size**2 * (3.0 if size <= RAW_SIZE else JPEG_BYTES_PER_PIXEL)
    return float(total)


CHECKPOINT_BYTES = {"smoke": 1e6, "demo": 1e7, "bench": 2e7, "paper": 4e8}


def check_device(options: Options) -> str:
    """The published sizes need a GPU with memory for their batches."""
    import torch

    if not torch.cuda.is_available():
        return "no GPU, the CPU trains" + ("; published sizes will take months" if options.profile == "paper" else "")
    properties = torch.cuda.get_device_properties(0)
    memory = properties.total_memory / GB
    if options.profile == "paper" and memory < PAPER_GPU_GB:
        raise InputError(
            f"{properties.name} has {memory:.0f} GB and the published batches want {PAPER_GPU_GB}; make them smaller "
            "with --set FOLDER.batch_size=N --set FOLDER.accumulation=M, or use a larger GPU"
        )
    return f"{properties.name}, {memory:.0f} GB"


PAPER_GPU_GB = 22  # what a card sold as one of 24 GB has


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Look at everything that a run will need.")
    parser.add_argument("--run", required=True, type=check_run_name)
    args = parser.parse_args(argv)
    options = options_of({"run": args.run})
    check_settings(options)  # nothing else can be looked at with settings that are none
    lines, problems = [], []
    for name, check in checks_of(options, {track: load_clips(args.run, track) for track in options.tracks()}):
        try:
            lines.append(f"  {name:24} {check()}")
        except InputError as error:
            problems.append(f"{name}: {error}")
    if problems:
        heading = [f"{len(problems)} things are wrong, nothing was trained:"] if len(problems) > 1 else []
        raise InputError("\n  ".join(heading + problems))
    text = "\n".join(lines) + "\n"
    with replacing(check_txt(args.run)) as temporary:
        temporary.write_text(text)
    print(text, end="")


if __name__ == "__main__":
    run_command(main)
