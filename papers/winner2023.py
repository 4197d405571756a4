"""PoseC3D with the semantic embedding loss (Li et al., arXiv 2307.10624, first of track 1 in MiGA 2023).

reads:  report/<run>/options.json; what its steps write
writes: report/<run>/papers/winner2023.{json,txt}; through its steps oof/<run>/

    python -m papers.winner2023 --run R
"""

from miga.engine.options import Options
from miga.errors import run_command
from papers.mixture import reached_by
from papers.steps import entry_of_run
from papers.table import Paper, Row, fill

JOINTS, LIMBS = 0.4, 0.6  # of the probabilities, as published


def weights(options: Options) -> dict[str, float]:
    """Entry -> weight; a profile that trains the limbs alone has these alone."""
    joint, limb = (entry_of_run(options, "semantic", name) for name in ("joint", "limb"))
    return {joint: JOINTS, limb: LIMBS} if joint != limb else {limb: 1.0}


def rows(options: Options) -> list[Row]:
    both = weights(options)
    names = {"joint": "joints alone", "limb": "limbs alone"}
    found = [
        Row(key, f"Li et al., {words}", "not published on iMiGUE's test", {}, (name,), reached_by({name: 1}))
        for key, words in names.items()
        if (name := f"semantic_{key}") in both
    ]
    note = "Word vectors are made from the letters of the class names unless --set semantic.vectors=FILE gives a table."
    published = {"top1": 64.12}
    return [*found, Row("both", "Li et al., 0.4 J + 0.6 L", "table 1", published, tuple(both), reached_by(both), note)]


PAPER = Paper("winner2023", "Li et al. (arXiv 2307.10624; MiGA 2023, track 1, first)", rows)


def main(argv: list[str] | None = None) -> None:
    fill(PAPER, argv)


if __name__ == "__main__":
    run_command(main)
