"""Remember every submission file that was made, and say how to send it; take the leaderboard's score.

reads:  submissions/log.csv, the file
writes: submissions/log.csv

    python -m submissions.log --file submissions/mine/track1.csv --score 0.7123

The score may as well be typed into the last column of the csv.
"""

import argparse
import csv
import io
import shlex
from datetime import UTC, datetime
from pathlib import Path

from miga.errors import InputError, run_command
from miga.files import file_sha256, replacing
from miga.paths import submissions_log

COLUMNS = ("made_at", "run", "file", "sha256", "clips", "estimate", "leaderboard")
# The 2024 edition's name on Kaggle; later editions change the number in front.
COMPETITION = "2nd-miga-ijcai-challenge-track1"


def log_submission(path: Path, run: str, num_clips: int, estimate: float) -> None:
    """Add a row to submissions/log.csv unless this file with this content has one.

    So a run that is repeated, or killed and resumed, adds nothing. The leaderboard column is for a person to fill in.

    Raises:
        InputError: the log has other columns.
    """
    log, digest = submissions_log(), file_sha256(path)
    rows = read_log(log) if log.exists() else []
    if any(row["file"] == str(path) and row["sha256"] == digest for row in rows):
        return
    text = log.read_text() if log.exists() else ",".join(COLUMNS) + "\n"
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow([made_at, run, path, digest, num_clips, f"{estimate:.5f}", ""])
    with replacing(log) as temporary:
        temporary.write_text(text + ("" if text.endswith("\n") else "\n") + line.getvalue())


def read_log(log: Path) -> list[dict[str, str]]:
    """The rows of the log, COLUMNS each; `leaderboard` is '' or a share.

    Raises:
        InputError: other columns, or a score that is no share from 0 to 1.
    """
    reader = csv.DictReader(io.StringIO(log.read_text()))
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise InputError(f"{log}: expected the columns {','.join(COLUMNS)}; move the file away to begin a new log")
    rows = list(reader)
    for number, row in enumerate(rows, 2):
        row["leaderboard"] = (row["leaderboard"] or "").strip()
        if row["leaderboard"]:
            check_score(row["leaderboard"], f"{log}, row {number}: leaderboard")
    return rows


def check_score(text: str, where: str) -> float:
    """A score as leaderboards show it.

    Raises:
        InputError: it is no number from 0 to 1.
    """
    try:
        score = float(text)
    except ValueError:
        score = -1.0
    if not 0 <= score <= 1:
        raise InputError(f"{where} is {text!r}, expected a share from 0 to 1; write 71.23 % as 0.7123")
    return score


def log_score(path: Path, score: float) -> None:
    """Write what the leaderboard said of a file into its row, that of the content which the file has now.

    Raises:
        InputError: no such file, or it has no row.
    """
    log = submissions_log()
    if not path.exists():
        raise InputError(f"--file {path}: no such file; give the csv that was sent in")
    rows, digest = read_log(log) if log.exists() else [], file_sha256(path)
    mine = [row for row in rows if row["sha256"] == digest and Path(row["file"]).resolve() == path.resolve()]
    if not mine:
        raise InputError(
            f"{log}: has no row for {path} as it is now; if it was made anew since it was sent, type the score into "
            "the row of that day"
        )
    mine[-1]["leaderboard"] = f"{score:.5f}"
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    with replacing(log) as temporary:
        temporary.write_text(text.getvalue())


def submit_line(path: Path, estimate: float, competition: str = COMPETITION) -> str:
    """The command that sends a file to the leaderboard."""
    message = f"{file_sha256(path)[:12]}, estimated {100 * estimate:.2f}"
    return f"kaggle competitions submit -c {competition} -f {shlex.quote(str(path))} -m {shlex.quote(message)}"


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Note what the leaderboard said of a submission file.")
    parser.add_argument("--file", type=Path, required=True, help="the csv that was sent in")
    parser.add_argument("--score", required=True, help="as the leaderboard shows it, from 0 to 1")
    args = parser.parse_args(argv)
    score = check_score(args.score, "--score")
    log_score(args.file, score)
    print(f"{submissions_log()}: {args.file} has {score:.5f}")


if __name__ == "__main__":
    run_command(main)
