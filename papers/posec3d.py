"""PoseC3D on iMiGUE, as MiGA's papers quote it (S2, table 2; M2HEN, tables 1 and 2).

reads:  report/<run>/options.json; what its steps write
writes: report/<run>/papers/posec3d.{json,txt}; through its steps oof/<run>/

    python -m papers.posec3d --run R
"""

from miga.engine.options import Options
from miga.errors import run_command
from papers.mixture import reached_by
from papers.steps import entry_of_run
from papers.table import Paper, Row, fill


def rows(options: Options) -> list[Row]:
    joint, limb = (entry_of_run(options, "posec3d", name) for name in ("joint", "limb"))
    return [
        Row("joint", "PoseC3D, joints", "S2, table 2", {"top1": 61.11}, (joint,), reached_by({joint: 1})),
        Row(
            "joint_m2hen", "PoseC3D, joints", "M2HEN, table 2", {"top1": 61.73, "top5": 89.19}, (joint,),
            reached_by({joint: 1}),
        ),
        Row(
            "both", "PoseC3D, joints + limbs 1:1", "PoseC3D's own way; not published on iMiGUE", {}, (joint, limb),
            reached_by({joint: 0.5, limb: 0.5}),
        ),
    ]  # fmt: skip


PAPER = Paper("posec3d", "PoseC3D (arXiv 2104.13586)", rows)


def main(argv: list[str] | None = None) -> None:
    fill(PAPER, argv)


if __name__ == "__main__":
    run_command(main)
