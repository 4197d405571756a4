"""Prototype learning (Chen et al., arXiv 2408.03097, first of track 1 in MiGA 2024): table 2.

reads:  report/<run>/options.json; what its steps write
writes: report/<run>/papers/s2.{json,txt}; through its steps oof/<run>/

    python -m papers.s2 --run R
"""

from miga.engine.options import Options
from miga.errors import run_command
from papers import video_swin, winner2023
from papers.mixture import reached_by, reached_by_tuned
from papers.steps import FOLDER, entry_of_run, train_step
from papers.table import Paper, Row, fill

OTHERS = (
    ("tsm", "TSM", 58.77), ("stgcn", "ST-GCN", 46.38), ("stgcnpp", "ST-GCN++", 49.56),
    ("strongaug", "StrongAug", 53.13), ("aagcn", "AAGCN", 54.73), ("ctrgcn", "CTR-GCN", 53.02),
    ("dgstgcn", "DG-STGCN", 49.56),
)  # fmt: skip
CHANNEL = "prototype_channel"


def rows(options: Options) -> list[Row]:
    single = entry_of_run(options, "prototype", "joint")
    posec3d = entry_of_run(options, "posec3d", "joint")
    swin_step, swin, small = video_swin.swin(options, "B")
    winner = winner2023.weights(options)
    systems = ({single: 1.0}, {swin: 1.0}, winner)
    fixed = {name: weight / len(systems) for system in systems for name, weight in system.items()}
    three = (single, swin_step, *winner)
    by_text = train_step(options, "prototype", CHANNEL, "--tokens", "channel")
    where = "Table 2"
    swins = [row for row in video_swin.rows(options) if options.profile == "paper" or row.key == "B"]
    return [
        *swins,
        Row("posec3d", "PoseConv3D, J", where, {"top1": 61.11}, (posec3d,), reached_by({posec3d: 1})),
        Row("winner2023", "Li et al., J + L", where, {"top1": 64.12}, tuple(winner), reached_by(winner)),
        Row("ehct", "EHCT, L", where, {"top1": 63.02}, note="python -m papers.s3 --rows ehct"),
        Row("single", "ours, single model", where, {"top1": 67.91}, (single,), reached_by({single: 1})),
        Row("channel", "ours, attention over channels", where, {"top1": 67.91}, (by_text,),
            reached_by({f"{FOLDER}/{CHANNEL}": 1}), "The fusion as the text words it; the row above as PCAN's code."),
        Row("fixed", "ours, ensemble, fixed weights", "Tables 1 and 2", {"top1": 70.254}, three, reached_by(fixed),
            f"A third for each system, as the paper gives no weights. {small}".strip()),
        Row("tuned", "ours, ensemble, tuned weights", "Tables 1 and 2", {"top1": 70.254}, three,
            reached_by_tuned(systems)),
        *(Row(key, system, where, {"top1": top1}, note="Another method, not in this repository.")
          for key, system, top1 in OTHERS),
    ]  # fmt: skip


PAPER = Paper("s2", "Prototype learning (arXiv 2408.03097; MiGA 2024, track 1, first)", rows)


def main(argv: list[str] | None = None) -> None:
    fill(PAPER, argv)


if __name__ == "__main__":
    run_command(main)
