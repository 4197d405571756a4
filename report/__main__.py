"""`python -m report --run R` makes the page; `python -m report --compare A B` puts two runs side by side."""

import argparse

from miga.errors import run_command
from miga.paths import check_run_name
from report import compare, page


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m report", description="What a person looks at.")
    wanted = parser.add_mutually_exclusive_group(required=True)
    wanted.add_argument("--run", type=check_run_name, help="make report/<run>/index.html")
    wanted.add_argument("--compare", nargs=2, type=check_run_name, metavar=("A", "B"), help="is run B better than A?")
    args = parser.parse_args(argv)
    if args.run:
        page.main(["--run", args.run])
    else:
        compare.main(["--run", args.compare[0], "--with", args.compare[1]])


if __name__ == "__main__":
    run_command(main)
