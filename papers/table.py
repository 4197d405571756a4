"""A published table, filled: run what is missing for its rows, score it, print published beside reached.

    python -m papers.s3 --run R                       every row that is ours, through the steps of the run
    python -m papers.s3 --run R --rows hge,gpt        these rows alone
    python -m papers.s3 --run R --list                the rows, what they need, what is finished

`--profile`, `--track1` and all other options of a run are those of `bash run.sh`; a run that was started before goes on
with its own. What is finished is skipped, a killed call goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from miga.engine.command import machine_of
from miga.engine.lock import locked
from miga.engine.options import Options, build_parser, options_of, remember
from miga.engine.receipts import is_finished
from miga.engine.run import Runner, TaskFailedError
from miga.engine.steps import Plan, Step
from miga.errors import InputError
from miga.files import replacing, write_json
from miga.paths import clips_dir, paper_json, paper_txt
from pipeline import steps_of

Scores = dict[str, float]
COLUMNS = ("top1", "top5", "class_average", "f1", "fps")
AS_PRINTED = ("f1", "fps")  # all others are shown in per cent
TITLES = {"top1": "top-1", "top5": "top-5", "class_average": "class avg", "f1": "F1", "fps": "frames/s"}

NOT_HERE = {"only", "from_step", "fold", "check", "tune", "overwrite", "dry_run", "print"}


@dataclass(frozen=True)
class Reached:
    """What we reach: scores between 0 and 1 by the names of COLUMNS.

    out_of_fold: of the training clips, by networks that never saw the clip's person.
    test: of the test clips, None where their labels are hidden.
    note: what a reader must know of them, in a sentence.
    same_people: of held-out clips whose people were trained on, where a paper did so; never beside `out_of_fold`.
    """

    out_of_fold: Scores | None
    test: Scores | None
    note: str = ""
    same_people: Scores | None = None


@dataclass(frozen=True)
class Row:
    """One row of a published table.

    key: short name, for `--rows`.
    system: what the paper calls it.
    where: where it stands, such as "Table 1, row 7".
    published: scores in per cent (F1 of track 2: between 0 and 1, as printed), by the names of COLUMNS.
    steps: what ours needs: names of steps of the run, and steps beside those of the run.
    reached: (options of the run) -> our scores, once the steps are done. None: the row is another method's.
    note: what is ours and what differs from the paper; of a row that is not ours, why.
    """

    key: str
    system: str
    where: str
    published: Scores
    steps: tuple[str | Step, ...] = ()
    reached: Callable[[Options], Reached] | None = None
    note: str = ""


@dataclass(frozen=True)
class Paper:
    """The tables of a paper.

    name: of the module in papers/. title: authors or short title, year, place.
    rows: options of the run -> the rows, in the order of the paper.
    figures: options -> the paths of pictures that belong to the paper, made when every row's steps are done.
    """

    name: str
    title: str
    rows: Callable[[Options], Sequence[Row]]
    figures: Callable[[Options], Sequence[Path]] | None = None


def fill(paper: Paper, argv: list[str] | None = None) -> None:
    """Do what the command line of a paper asks for.

    Raises:
        InputError: an option that does not fit, or no row of that name.
    """
    parser = build_parser()
    parser.prog, parser.description = f"python -m papers.{paper.name}", f"Fill the tables of {paper.title}."
    parser.add_argument("--rows", metavar="KEY,..", help="fill these rows alone; --list shows their names")
    given = vars(parser.parse_args(argv))
    for name in NOT_HERE & given.keys():
        raise InputError(f"--{name.replace('_', '-')}: not an option of a table; python -m pipeline has it")
    options = options_of(given)
    if not given.get("list"):
        prepare(options, given)
    rows = chosen_rows(list(paper.rows(options)), given.get("rows"))
    plan = plan_of(options, rows)
    ours = [row for row in rows if row.reached is not None]
    wanted = {name for row in ours for name in tasks_for(plan, row)}
    if given.get("list"):
        print("\n".join(_line_of(options, plan, row) for row in rows))
        return
    run_tasks(options, plan, wanted, given)
    filled = [(row, *_result(options, plan, row)) for row in rows]
    figures = list(paper.figures(options)) if paper.figures and not given.get("rows") else []
    write_table(options, paper, filled, figures)


def prepare(options: Options, given: dict) -> None:
    """Prepare the recordings of a new run first: the rows depend on their skeleton."""
    if not all((clips_dir(options.run, track) / "meta.json").exists() for track in options.tracks()):
        plan = Plan(steps_of(options))
        run_tasks(options, plan, tasks_up_to(plan, ["prepare"]), given)


def chosen_rows(rows: list[Row], keys: str | None) -> list[Row]:
    """The rows that `--rows` names, all without it."""
    known = [row.key for row in rows]
    wanted = [key.strip() for key in keys.split(",")] if keys else known
    for key in wanted:
        if key not in known:
            raise InputError(f"--rows {key}: no such row; the rows are {', '.join(known)}")
    return [row for row in rows if row.key in wanted]


def plan_of(options: Options, rows: Sequence[Row]) -> Plan:
    """The steps of the run and those beside them that the rows name; a step that two rows name is one."""
    steps = {step.name: step for step in steps_of(options)}
    for row in rows:
        steps.update({step.name: step for step in row.steps if isinstance(step, Step)})
    return Plan(list(steps.values()))


def tasks_for(plan: Plan, row: Row) -> set[str]:
    """Names of all tasks that a row's figures rest on; none where the run has no such step."""
    names = [step if isinstance(step, str) else step.name for step in row.steps]
    return tasks_up_to(plan, names) if all(name in plan.waits_for for name in names) else set()


def tasks_up_to(plan: Plan, names: list[str]) -> set[str]:
    """These tasks and all that they wait for."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(plan.waits_for[name])
    return found


def run_tasks(options: Options, plan: Plan, wanted: set[str], given: dict) -> None:
    """Run what of the wanted tasks is not finished, where the command line says."""
    tasks = [task for task in plan.tasks if task.name in wanted]
    if all(is_finished(options.run, task) or task.step.why_left_out() for task in tasks):
        return
    remember(options)
    with locked(options.run):
        try:
            Runner(options.run, plan, wanted, machine_of(plan, wanted, given))()
        except TaskFailedError as error:
            raise InputError(str(error)) from None


def why_empty(plan: Plan, row: Row) -> str:
    """Why the row has no figure of ours; '' where it has one."""
    if row.reached is None:
        return row.note or "another method"
    steps = {step.name: step for step in plan.steps}
    names = [step if isinstance(step, str) else step.name for step in row.steps]
    for name in names:
        if name not in steps:
            return f"the run has no step {name} in this profile"
    waiting = tasks_for(plan, row)
    return next((why for step in plan.steps if step.name in waiting and (why := step.why_left_out())), "")


def _result(options: Options, plan: Plan, row: Row) -> tuple[Reached | None, str]:
    """Our scores of the row and its note."""
    why = why_empty(plan, row)
    if why or row.reached is None:
        return None, why
    reached = row.reached(options)
    return reached, " ".join(text for text in (row.note, reached.note) if text)


def write_table(
    options: Options, paper: Paper, filled: Sequence[tuple[Row, Reached | None, str]], figures: Sequence[Path]
) -> None:
    """Print the table, and write it as text and as JSON."""
    lines = [f"{paper.title}; run {options.run}, profile {options.profile}", *format_rows(filled)]
    lines += [f"  picture: {path}" for path in figures]
    text = "\n".join(lines) + "\n"
    with replacing(paper_txt(options.run, paper.name)) as temporary:
        temporary.write_text(text)
    content = [
        {
            "key": row.key, "system": row.system, "where": row.where, "published": row.published, "note": note,
            "out_of_fold": reached.out_of_fold if reached else None, "test": reached.test if reached else None,
            "same_people": reached.same_people if reached else None,
            "steps": [step if isinstance(step, str) else step.name for step in row.steps],
        }
        for row, reached, note in filled
    ]  # fmt: skip
    facts = {"paper": paper.title, "profile": options.profile, "rows": content, "figures": [str(f) for f in figures]}
    write_json(paper_json(options.run, paper.name), facts)
    print(text, end="")


def format_rows(filled: Sequence[tuple[Row, Reached | None, str]]) -> list[str]:
    """The table for a terminal: published, out of fold, test; notes below, numbered."""
    columns = [name for name in COLUMNS if any(name in row.published for row, _, _ in filled)]
    width = max([len(row.system) for row, _, _ in filled] + [6])
    key_width = max(len(row.key) for row, _, _ in filled)
    head = " ".join(f"{TITLES[name]:>9}" for name in columns)
    blocks = [f"{title:>{len(head)}}" for title in ("published", "held out", "test people")]
    lines = [f"  {'':{key_width}}  {'':{width}}  " + " | ".join(blocks)]
    lines.append(f"  {'row':{key_width}}  {'system':{width}}  " + " | ".join([head] * 3))
    notes: list[str] = []
    for row, reached, note in filled:
        held_out = _shown(reached, "out_of_fold") or _shown(reached, "same_people")
        scores = (row.published, held_out, _shown(reached, "test"))
        cells = [" ".join(f"{_cell(block, name):>9}" for name in columns) for block in scores]
        if note and note not in notes:
            notes.append(note)
        mark = f"  [{notes.index(note) + 1}]" if note else ""
        lines.append(f"  {row.key:{key_width}}  {row.system:{width}}  " + " | ".join(cells) + mark)
    return lines + [f"  [{number}] {note}" for number, note in enumerate(notes, 1)]


def _shown(reached: Reached | None, name: str) -> Scores:
    """Our scores in the unit of the published figures: F1 between 0 and 1, all else in per cent."""
    scores = getattr(reached, name) if reached else None
    return {name: value if name in AS_PRINTED else 100 * value for name, value in (scores or {}).items()}


def _cell(scores: Scores, name: str) -> str:
    if name not in scores:
        return "-"
    return f"{scores[name]:.4f}" if name == "f1" else f"{scores[name]:.2f}"


def _line_of(options: Options, plan: Plan, row: Row) -> str:
    """What `--list` says of a row."""
    if row.reached is None:
        return f"{row.key:18} {row.system}: {row.note or 'another method'}"
    tasks = {task.name: task for task in plan.tasks}
    needed = tasks_for(plan, row)
    missing = [name for name in sorted(needed) if not is_finished(options.run, tasks[name])]
    state = "finished" if needed and not missing else f"{len(missing)} of {len(needed)} tasks to do"
    names = ", ".join(step if isinstance(step, str) else step.name for step in row.steps)
    return f"{row.key:18} {row.system} ({row.where}): {names}; {state}"
