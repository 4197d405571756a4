"""The one exception for bad input, and the one place where a command turns it into an exit code."""

import io
import sys
from collections.abc import Callable


class InputError(ValueError):
    """Something a person gave us is wrong: the message is one sentence that names the file, the row, and the cure."""


def run_command(main: Callable[[], None]) -> None:
    """Run a command line's main function; bad input ends it with one clear sentence and exit code 2.

    Every other exception is a bug of ours and keeps its traceback.
    """
    _print_any_name()
    try:
        main()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


def _print_any_name() -> None:
    """A name that the terminal's encoding lacks is printed with its code instead of stopping the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
