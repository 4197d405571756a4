"""GE-CN (MiGA 2023): tables 1 and 2, on iMiGUE or on SMG, whichever the run's recordings are.

reads:  report/<run>/options.json; what its steps write
writes: report/<run>/papers/s1.{json,txt}, report/<run>/gecn_tsne.png; through its steps oof/<run>/

    python -m papers.s1 --run R
    python -m papers.s1 --run smg --track1 DIR_WITH_SMG_FOLDERS       the SMG column
"""

from pathlib import Path

from miga.clips import load_clips
from miga.engine.options import Options
from miga.errors import run_command
from miga.paths import clips_dir, report_dir
from papers.mixture import reached_by
from papers.steps import FOLDER, entry_of_run, train_step
from papers.table import Paper, Row, fill

BASELINE, BASELINE_JOINTS, JOINTS = "gecn_plain", "gecn_plain_joints", "gecn_joints"
# iMiGUE, SMG: top-1, top-5
OURS = {BASELINE: ((53.98, 90.5), (62.89, 94.95)), "gecn": ((56.12, 90.01), (64.26, 95.23))}
OTHERS = {
    "ST-GCN": ((46.97, 84.09), (41.4, 86.07)), "2S-GCN": ((47.78, 88.43), (43.11, 86.90)),
    "Shift-GCN": ((51.51, 88.18), (55.31, 87.34)), "GCN-NAS": ((53.90, 89.21), (58.85, 85.08)),
    "MS-G3D": ((54.91, 89.98), (64.75, 91.48)), "TRN": ((55.24, 89.17), (59.51, 88.53)),
}  # fmt: skip
ALL_JOINTS = "100"  # a mode beyond the depth of any skeleton: the joints as they are


def is_smg(options: Options) -> bool:
    """Whether track 1 is SMG, by its skeleton of 25 joints."""
    prepared = (clips_dir(options.run, "track1") / "meta.json").exists()
    return prepared and load_clips(options.run, "track1").skeleton.name == "smg25"


def rows(options: Options) -> list[Row]:
    column = int(is_smg(options))
    data = ("iMiGUE", "SMG")[column]
    note = "Kinect's depth is not used: pixels and a seen flag in place of three coordinates." if column else ""
    if options.profile != "paper":
        note = f"This profile joins joints, bones and motion. {note}".strip()
    joints = "--streams", "joint", "--k", ALL_JOINTS
    plain = train_step(options, "gecn", BASELINE, "--attention", "false")
    of_run = entry_of_run(options, "gecn")
    found = [
        Row("baseline", "baseline, no self-attention", "Table 1, row 1", _scores(OURS[BASELINE][column]), (plain,),
            reached_by({f"{FOLDER}/{BASELINE}": 1}), note),
        Row("gecn", "GE-CN", "Tables 1 and 2", _scores(OURS["gecn"][column]), (of_run,), reached_by({of_run: 1}), note),
    ]  # fmt: skip
    for key, name, title, more in (
        ("baseline_joints", BASELINE_JOINTS, "baseline", ("--attention", "false")),
        ("gecn_joints", JOINTS, "GE-CN", ()),
    ):
        step = train_step(options, "gecn", name, *joints, *more)
        found.append(Row(key, f"{title} on joints alone", "X = joints, as section 3 says", {}, (step,),
                         reached_by({f"{FOLDER}/{name}": 1})))  # fmt: skip
    return found + [
        Row(system.lower().replace("-", ""), system, f"Table 2, {data}", _scores(columns[column]),
            note="Another method, not in this repository.")
        for system, columns in OTHERS.items()
    ]  # fmt: skip


def _scores(pair: tuple[float, float]) -> dict[str, float]:
    return {"top1": pair[0], "top5": pair[1]}


def figures(options: Options) -> list[Path]:
    """Figures 2 and 3, which the run's step tsne draws."""
    path = report_dir(options.run) / "gecn_tsne.png"
    return [path] if path.exists() else []


PAPER = Paper("s1", "GE-CN (MiGA 2023)", rows, figures)


def main(argv: list[str] | None = None) -> None:
    fill(PAPER, argv)


if __name__ == "__main__":
    run_command(main)
