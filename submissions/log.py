"""Remember every submission file that was made, and say how to send it."""

import csv
import io
import shlex
from datetime import UTC, datetime
from pathlib import Path

from miga.errors import InputError
from miga.files import replacing
from miga.paths import submissions_log
from oof.artifacts import file_sha256

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
    text = log.read_text() if log.exists() else ",".join(COLUMNS) + "\n"
    rows = list(csv.DictReader(io.StringIO(text)))
    if tuple(csv.DictReader(io.StringIO(text)).fieldnames or ()) != COLUMNS:
        raise InputError(f"{log}: expected the columns {','.join(COLUMNS)}; move the file away to begin a new log")
    if any(row["file"] == str(path) and row["sha256"] == digest for row in rows):
        return
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow([made_at, run, path, digest, num_clips, f"{estimate:.5f}", ""])
    with replacing(log) as temporary:
        temporary.write_text(text + ("" if text.endswith("\n") else "\n") + line.getvalue())


def submit_line(path: Path, estimate: float, competition: str = COMPETITION) -> str:
    """The command that sends a file to the leaderboard."""
    message = f"{file_sha256(path)[:12]}, estimated {100 * estimate:.2f}"
    return f"kaggle competitions submit -c {competition} -f {shlex.quote(str(path))} -m {shlex.quote(message)}"
