"""Say at once that a run is finished, or that something it depends on changed since.

reads:  report/<run>/finished.json, the code, the recordings' names, sizes and times, the CSVs
writes: report/<run>/finished.json (--write)

    python -m report.finished --run demo [--input DIR]... -- ARGUMENTS OF run.sh      exit code 0 = finished, 1 = not

Only the standard library is imported, so this takes a fraction of a second; every step checks its own inputs anyway.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

from datasets.errors import run_command
from datasets.files import write_json
from datasets.paths import TRACKS, check_run_name, report_dir, submission_csv

SCRIPTS = ("run.sh", "environment.sh", "requirements.txt")


def code_hash() -> str:
    """Hash of every package in the current directory and of the scripts beside them."""
    packages = [path.parent for path in Path(".").glob("*/__init__.py") if path.parent.name != "tests"]
    files = [Path(name) for name in SCRIPTS] + [file for package in packages for file in package.rglob("*.py")]
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(str(path).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def listing_hash(path: Path) -> str:
    """Hash of the names, sizes and modification times of a file or of all files below a folder."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for file in files:
        if file.is_file():
            stat = file.stat()
            digest.update(f"{file}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def state_of(run: str, inputs: list[Path], arguments: list[str]) -> dict:
    """Plain values that change when anything the run depends on, or its result, changes."""
    outputs = [submission_csv(run, track) for track in TRACKS]
    return {
        "arguments": arguments,
        "code": code_hash(),
        "inputs": {str(path): listing_hash(path) for path in inputs if path.exists()},
        "outputs": {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in outputs if p.exists()},
    }


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Say whether a run is finished.")
    parser.add_argument("--run", required=True, type=check_run_name)
    parser.add_argument("--input", type=Path, action="append", default=[], help="recordings the run was made from")
    parser.add_argument("--write", action="store_true", help="record that the run is finished now")
    parser.add_argument("arguments", nargs="*", help="the arguments of run.sh")
    args = parser.parse_args(argv)
    path = report_dir(args.run) / "finished.json"
    state = state_of(args.run, args.input, args.arguments)
    if args.write:
        write_json(path, state)
        return
    if not path.exists() or json.loads(path.read_text()) != state:
        sys.exit(1)
    print((report_dir(args.run) / "summary.txt").read_text(), end="")
    print(f"run {args.run}: everything is done already, nothing to do")


if __name__ == "__main__":
    run_command(main)
