"""The run as a list of steps: what `bash run.sh` does, and any part of it.

    python -m pipeline --run mine --track1 DIR --track2 DIR --profile paper      everything
    python -m pipeline --run mine --list                                         steps, state, minutes spent and left
    python -m pipeline --run mine --only m3cn --fold 2       --from blend        a part of it, again
    python -m pipeline --run mine --gpus 0,1,2,3             --print             on four GPUs; the commands, for Slurm

reads:  the recordings; of a run that was started before also report/<run>/options.json
writes: what the steps write; report/<run>/receipts/, report/<run>/log/
"""

import csv
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from miga.engine.options import Options
from miga.engine.steps import Step
from miga.paths import clips_dir
from spotting.config import MEMBERS

# Minutes of a fold of an entry on one core or GPU, by profile; measured ones take their place once there are some.
MINUTES = {"smoke": 0.05, "demo": 0.3, "bench": 3.0, "paper": 120.0}
PREPARED = ("meta.json", "clips.csv", "videos.csv", "joints.npy")
PICTURE_SIZE = {"smoke": 32, "demo": 64, "bench": 80, "paper": 256}  # pixels; side of the stored pictures


def steps_of(options: Options) -> list[Step]:
    """Every step of a run, in the order of the story."""
    run, profile, clips = options.run, options.profile, f"clips/{options.run}"
    steps = []
    if options.simulates:
        steps.append(
            Step("recordings", "recordings.demo", ("--out", f"input/{run}", "--profile", profile),
                 writes=(f"input/{run}/demo.json",), minutes=1, takes_whole_machine=True)
        )  # fmt: skip
    steps.append(
        Step("prepare", "recordings.prepare", ("--run", run, *options.prepare_arguments()),
             reads=(f"input/{run}/demo.json", *options.inputs()),
             writes=tuple(f"{clips}/{track}/{file}" for track in options.tracks() for file in PREPARED),
             takes_whole_machine=True)
    )  # fmt: skip
    steps.append(
        Step("check", "preflight.check", ("--run", run), reads=(f"{clips}/*/meta.json", *options.inputs()),
             writes=(f"report/{run}/check.txt",), takes_overwrite=False)
    )  # fmt: skip
    if options.track1:
        steps += _track1(options)
    if options.track2:
        steps += _track2(options)
    steps.append(
        Step("summary", "report.summary", ("--run", run, *options.answer_arguments()),
             reads=(f"submissions/{run}/*.csv", f"ensemble/{run}/forecast.json", f"report/{run}/gecn_tsne.png"),
             writes=(f"report/{run}/summary.txt", f"report/{run}/summary.json"), takes_overwrite=False)
    )  # fmt: skip
    steps.append(
        Step("page", "report.page", ("--run", run),
             reads=(f"report/{run}/summary.json", f"report/{run}/gecn_tsne.png", f"ensemble/{run}/*.json",
                    f"spotting/{run}/*.json", "submissions/log.csv"),
             writes=(f"report/{run}/index.html",), minutes=0.3, takes_overwrite=False)
    )  # fmt: skip
    return steps


def _track1(options: Options) -> Iterator[Step]:
    run, meta = options.run, f"clips/{options.run}/track1/meta.json"
    size = PICTURE_SIZE[options.profile]
    pictures = f"clips/{run}/track1/rgb_{size}/meta.json"
    no_pictures = partial(why_no_pictures, run)
    yield Step("folds", "folds.make", ("--run", run, "--num-folds", str(options.num_folds)),
               reads=(meta,), after=("check",), writes=(f"folds/{run}.csv",))  # fmt: skip
    yield Step("pictures", "recordings.rgb_store", ("--run", run, "--size", str(size)), reads=(meta,), after=("check",),
               writes=(pictures,), takes_whole_machine=True, takes_overwrite=False,
               why_left_out=no_pictures)  # fmt: skip
    entries = list(entries_of(options.profile))
    rehearsal: tuple[str, ...] = ()
    if options.profile == "paper" or options.settings:
        rehearsal = ("rehearsal",)
        yield Step("rehearsal", "preflight.rehearsal", ("--run", run), reads=(meta, *options.inputs()),
                   after=("pictures",), writes=(f"report/{run}/rehearsal.txt",), wants_gpu=True,
                   takes_overwrite=False)  # fmt: skip
    # Pathways alone, which several entries of a fold begin with, are trained before those that would train them twice.
    first = next((name for folder, name, _ in entries if folder in TWO_PATHWAY_FOLDERS), "")
    for folder, name, arguments in entries:
        needs_rgb = folder in RGB_FOLDERS
        command = ("--run", run, "--profile", options.profile, *arguments, *options.settings_of(folder))
        if name == first:
            yield Step(f"{name}_starts", f"models.{folder}.train", (*command, "--stages-only"),
                       reads=(meta, f"folds/{run}.csv", pictures), num_folds=options.num_folds,
                       fold_writes=(f"checkpoints/{run}/{name}/fold{{fold}}/starts.json",),
                       after=rehearsal, minutes=MINUTES[options.profile] * 0.7, wants_gpu=True, takes_overwrite=False,
                       why_left_out=no_pictures)  # fmt: skip
        yield Step(name, f"models.{folder}.train", command,
                   reads=(meta, f"folds/{run}.csv", *((pictures,) if needs_rgb else ())),
                   after=(*rehearsal, *((f"{first}_starts",) if folder in TWO_PATHWAY_FOLDERS else ())),
                   writes=(f"oof/{run}/{name}.npz", f"oof/{run}/{name}.json"),
                   num_folds=options.num_folds, fold_writes=(f"checkpoints/{run}/{name}/fold{{fold}}/predictions.npz",),
                   minutes=MINUTES[options.profile] * COST.get(folder, 1), wants_gpu=True,
                   why_left_out=no_pictures if needs_rgb else str)  # fmt: skip
    for folder, name, _ in entries:
        no_entry = no_pictures if folder in RGB_FOLDERS else str
        if name == "gecn":
            yield Step("tsne", "models.gecn.tsne", ("--run", run), wants_gpu=True, minutes=0.2,
                       reads=(f"oof/{run}/gecn.json",), writes=(f"report/{run}/gecn_tsne.png",))  # fmt: skip
        if folder in TAIL_FOLDERS and (options.profile != "demo" or folder == "ehct"):
            yield _of_entry(options, f"tails_{name}", "ensemble.train_parts", name, "crt", 0.5, no_entry)
        has_twin = folder in ADAPTED_FOLDERS and (options.profile != "demo" or folder in ("ehct", "gecn"))
        if has_twin:
            yield _of_entry(options, f"adapt_{name}", "ensemble.adapt", name, "adapted", 0.2, no_entry)
        if options.refit:  # the first on two pathways trains what the others begin with
            begins = (f"refit_{first}",) if folder in TWO_PATHWAY_FOLDERS and name != first else ()
            yield _refit(options, folder, name, has_twin, (f"adapt_{name}", *begins), no_entry)
    yield Step("stack", "ensemble.stack", ("--run", run), reads=(f"oof/{run}/*.npz",),
               writes=(f"ensemble/{run}/stack.npz",), minutes=0.5)  # fmt: skip
    yield Step("blend", "ensemble.blend", ("--run", run, *options.blend_arguments()),
               reads=(f"oof/{run}/*.npz", f"ensemble/{run}/stack.npz",
                      *([f"oof/{run}/refit/*.npz"] if options.refit else [])),
               writes=(f"ensemble/{run}/weights.json", f"ensemble/{run}/crossfit.npz", f"submissions/{run}/track1.csv"),
               minutes=0.5)  # fmt: skip
    yield Step("forecast", "ensemble.forecast", ("--run", run), takes_overwrite=False,
               reads=(f"ensemble/{run}/weights.json", f"ensemble/{run}/crossfit.npz"),
               writes=(f"ensemble/{run}/forecast.json", f"ensemble/{run}/forecast.txt"))  # fmt: skip


def _refit(options: Options, folder: str, name: str, has_twin: bool, after: tuple[str, ...], left_out) -> Step:
    """An entry once more, on every training clip, and its adapted twin by the same network."""
    run, share = options.run, options.num_folds / (options.num_folds - 1)  # of the clips that a fold is trained on
    made = (name, f"{name}_adapted") if has_twin else (name,)
    return Step(f"refit_{name}", "ensemble.refit", ("--run", run, "--entries", name), after=after,
                reads=tuple(f"oof/{run}/{entry}.json" for entry in made),
                writes=tuple(f"oof/{run}/refit/{entry}.{ending}" for entry in made for ending in ("npz", "json")),
                minutes=MINUTES[options.profile] * COST.get(folder, 1) * share, wants_gpu=True,
                why_left_out=left_out)  # fmt: skip


def _of_entry(options: Options, name: str, module: str, entry: str, suffix: str, share: float, left_out) -> Step:
    """A step that makes something of a trained entry, fold by fold, in this share of the time of its training."""
    run = options.run
    return Step(name, module, ("--run", run, "--entries", entry),
                reads=(f"oof/{run}/{entry}.json",), writes=(f"oof/{run}/{entry}_{suffix}.npz",),
                num_folds=options.num_folds,
                fold_writes=(f"checkpoints/{run}/{entry}_{suffix}/fold{{fold}}/predictions.npz",),
                minutes=MINUTES[options.profile] * share, wants_gpu=True, why_left_out=left_out)  # fmt: skip


def _track2(options: Options) -> Iterator[Step]:
    run, meta, folds = options.run, f"clips/{options.run}/track2/meta.json", f"folds/track2/{options.run}.csv"
    profile, settings, minutes = options.profile, options.settings_of("spotting"), MINUTES[options.profile]
    size = SEQUENCE_PICTURE_SIZE[profile]
    pictures = f"clips/{run}/track2/rgb_{size}/meta.json"
    no_pictures = partial(why_no_pictures, run, "track2")
    yield Step("folds_track2", "folds.make",
               ("--run", run, "--track", "track2", "--num-folds", str(options.num_folds)),
               reads=(meta,), after=("check",), writes=(folds,))  # fmt: skip
    yield Step("pictures_track2", "recordings.rgb_store", ("--run", run, "--track", "track2", "--size", str(size)),
               reads=(meta,), after=("check",), writes=(pictures,), takes_whole_machine=True, takes_overwrite=False,
               why_left_out=no_pictures)  # fmt: skip
    members = MEMBERS_OF[profile]
    streams = [stream for stream in ("joint", "rgb", "early") if any(stream in MEMBERS[member] for member in members)]
    for stream in streams:
        yield Step(f"tokens_{stream}", "spotting.train",
                   ("--run", run, "--profile", profile, *settings, "--member", stream, "--stage", "tokens"),
                   reads=(folds, *(() if stream == "joint" else (pictures,))), num_folds=options.num_folds,
                   fold_writes=(f"spotting/{run}/tokens/{stream}_*/fold{{fold}}/made_with.json",),
                   minutes=2 * minutes, wants_gpu=True,
                   why_left_out=str if stream == "joint" else no_pictures)  # fmt: skip
    for member in members:
        left_out = str if MEMBERS[member] == ("joint",) else no_pictures
        yield Step(f"detector_{member}", "spotting.train",
                   ("--run", run, "--profile", profile, *settings, "--member", member, "--stage", "detector"),
                   reads=(folds, *(f"spotting/{run}/tokens/{s}_*/fold*/made_with.json" for s in MEMBERS[member])),
                   num_folds=options.num_folds,
                   fold_writes=(f"checkpoints/{run}/spotting_{member}/fold{{fold}}/weights.pt",),
                   writes=(f"spotting/{run}/settings/{member}.json",),
                   minutes=2 * minutes, wants_gpu=True, why_left_out=left_out)  # fmt: skip
        yield Step(f"propose_{member}", "spotting.propose", ("--run", run, "--member", member), wants_gpu=True,
                   takes_overwrite=False, minutes=0.2 * minutes, why_left_out=left_out,
                   reads=(f"checkpoints/{run}/spotting_{member}/fold*/weights.pt",),
                   writes=tuple(f"spotting/{run}/members/{member}.{ending}" for ending in ("npz", "json")))  # fmt: skip
    yield Step("frames", "spotting.frames", ("--run", run), reads=(folds,), takes_overwrite=False, minutes=0.5,
               writes=(f"spotting/{run}/members/frames.npz", f"spotting/{run}/members/frames.json"))  # fmt: skip
    yield Step("spot", "spotting.blend", ("--run", run), reads=(f"spotting/{run}/members/*.npz",), minutes=0.3,
               takes_overwrite=False,
               writes=(f"spotting/{run}/thresholds.json", f"spotting/{run}/out_of_fold.npz",
                       f"submissions/{run}/track2.csv"))  # fmt: skip
    for name in ("forecast", "errors"):
        yield Step(f"{name}_track2", f"spotting.{name}", ("--run", run), takes_overwrite=False,
                   reads=(f"spotting/{run}/out_of_fold.npz",), writes=(f"spotting/{run}/{name}.json",))  # fmt: skip


SEQUENCE_PICTURE_SIZE = {"smoke": 24, "demo": 48, "bench": 64, "paper": 256}  # pixels; side of track 2's pictures
# What track 2 trains: a detector on the skeleton, on the pictures, and on both (late fusion).
MEMBERS_OF = {
    "smoke": ("joint", "late"),
    "demo": ("joint", "rgb"),  # late fusion costs a quarter of the demo's time: python -m papers.s0 makes it
    "bench": ("joint", "rgb", "late", "tridet"),
    "paper": ("joint", "rgb", "late", "early", "tridet"),
}
RGB_FOLDERS = ("rgb_slowonly", "rgbpose", "m3cn", "prototype", "video_swin", "image_level")
TWO_PATHWAY_FOLDERS = ("rgbpose", "prototype")  # SlowOnly pathways; those of M3CN are its own
TAIL_FOLDERS = ("m3cn", "ehct")  # the two of M2HEN
ADAPTED_FOLDERS = (
    *("posec3d", "semantic", "gecn", "ehct"),
    *("rgb_slowonly", "rgbpose", "m3cn", "prototype", "image_level"),  # Video Swin has no batch norm
)
# What a fold costs beside a fold of PoseC3D.
COST = {
    **{"trees": 0.5, "gecn": 1.5, "rgbpose": 1.6, "m3cn": 2.0, "prototype": 1.8},
    **{"rgb_slowonly": 0.7, "image_level": 0.5},
}


def entries_of(profile: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The entries that a profile trains: folder of models/, name, arguments. A folder that is not there has none."""
    both = ("limb",) if profile == "smoke" else ("joint", "limb")  # the tests need each system, not each of its entries
    listed: list[tuple[str, str, tuple[str, ...]]]
    listed = [(folder, f"_{i}", ("--input", i)) for folder in ("posec3d", "semantic") for i in both]
    listed.append(("gecn", "", ()))
    # As InfoGCN: several modes, on joints and on motion; the small profiles join joints and motion.
    listed += [("gecn", f"_k{k}", ("--k", k)) for k in {"bench": "12", "paper": "28"}.get(profile, "")]
    if profile == "paper":
        listed.append(("gecn", "_motion", ("--streams", "motion")))
        listed += [("gecn", f"_k{k}_motion", ("--k", k, "--streams", "motion")) for k in "28"]
    if profile != "paper":  # small sets learn best from the streams joined
        joined = "joint" if profile == "smoke" else "joint_bone_motion"
        listed.append(("ehct", f"_{joined}", ()))
    if profile in ("bench", "paper"):  # Hyperformer's four
        listed += [("ehct", f"_{s}", ("--stream", s)) for s in ("joint", "bone", "motion", "bonemotion")]
    listed += [("trees", "", ()), ("rgb_slowonly", "", ())]
    listed += [("rgbpose", f"_{i}", ("--input", i)) for i in both]
    listed += [("m3cn", "", ()), ("prototype", "_joint", ()), ("video_swin", "_t", ()), ("image_level", "", ())]
    for folder, variant, arguments in listed:
        if Path("models", folder).is_dir():
            yield folder, folder + variant, tuple(arguments)


def why_no_pictures(run: str, track: str = "track1") -> str:
    """'' when the prepared recordings came with pictures. Read without pandas: a finished run says so at once."""
    file_name = "clips.csv" if track == "track1" else "videos.csv"
    with open(clips_dir(run, track) / file_name, encoding="utf-8", newline="") as file:
        has_pictures = any(row["frames_path"] for row in csv.DictReader(file))
    return "" if has_pictures else "the recordings have no pictures"


if __name__ == "__main__":
    from miga.engine.command import main
    from miga.errors import run_command

    run_command(partial(main, steps_of))
