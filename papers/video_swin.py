"""Video Swin on iMiGUE as the 2024 winner quotes it (S2, table 2).

reads:  report/<run>/options.json; what its steps write
writes: report/<run>/papers/video_swin.{json,txt}; through its steps oof/<run>/

    python -m papers.video_swin --run R --rows T
"""

from miga.engine.options import Options
from miga.engine.steps import Step
from miga.errors import run_command
from papers.mixture import reached_by
from papers.steps import FOLDER, entry_of_run, train_step
from papers.table import Paper, Row, fill

PUBLISHED = {"T": 59.97, "S": 57.83, "B": 61.73}


def swin(options: Options, size: str) -> tuple[str | Step, str, str]:
    """What makes the network of a size, the name of its entry, and a note.

    Small profiles have one small network for all sizes.
    """
    of_run = entry_of_run(options, "video_swin", size.lower())
    if options.profile != "paper":
        return of_run, of_run, f"{of_run} of this profile is narrower and shallower than any published size."
    if of_run == f"video_swin_{size.lower()}":
        return of_run, of_run, ""
    name = f"video_swin_{size.lower()}"
    return train_step(options, "video_swin", name, "--size", size), f"{FOLDER}/{name}", ""


def rows(options: Options) -> list[Row]:
    found = []
    for size, top1 in PUBLISHED.items():
        step, name, note = swin(options, size)
        ours = reached_by({name: 1})
        found.append(Row(size, f"Video Swin-{size}", "S2, table 2", {"top1": top1}, (step,), ours, note))
    return found


PAPER = Paper("video_swin", "Video Swin Transformer (arXiv 2106.13230)", rows)


def main(argv: list[str] | None = None) -> None:
    fill(PAPER, argv)


if __name__ == "__main__":
    run_command(main)
