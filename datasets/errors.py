"""The one exception for bad input, and the one place where a command turns it into an exit code."""

import sys
from collections.abc import Callable


class InputError(Exception):
    """Something a person gave us is wrong: the message is one sentence that names the file, the row, and the cure.

    No ValueError: argparse would put a sentence of its own in the place of ours.
    """


def run_command(main: Callable[[], None]) -> None:
    """Run a command line's main function; bad input ends it with one clear sentence and exit code 2.

    Every other exception is a bug of ours and keeps its traceback.
    """
    try:
        main()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
