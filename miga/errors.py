"""The errors that are not bugs, and the one place where a command turns them into one sentence and an exit code.

Every command takes `--debug`, which shows the traceback in front of the sentence.
"""

import io
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

INTERRUPTED = 130  # 128 + SIGINT, as shells count


class InputError(Exception):
    """Something a person gave us is wrong: the message is one sentence that names the file, the row, and the cure.

    No ValueError: argparse would put a sentence of its own in the place of ours.
    """

    exit_code = 2


class TrainingError(RuntimeError):
    """A training went wrong though its input is right: one sentence that says where, on which clips, and the cure."""

    exit_code = 3


TOLD = (InputError, TrainingError)


@contextmanager
def naming(what: str) -> Iterator[None]:
    """Say in front of an error's sentence, or below the traceback of a bug, what it happened in: a fold, a step."""
    try:
        yield
    except TOLD as error:
        raise type(error)(f"{what}: {error}") from error
    except Exception as error:
        error.add_note(f"in {what}")
        raise


def run_command(main: Callable[[], None]) -> None:
    """Run a command line's main function; an error of ours ends it with one clear sentence and its exit code.

    Every other exception is a bug of ours and keeps its traceback.
    """
    _print_any_name()
    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")
        sys.excepthook = sys.__excepthook__
    try:
        main()
    except TOLD as error:
        if debug:
            traceback.print_exc()
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def show_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """The `sys.excepthook` of our commands: a line for Ctrl-C, one traceback for a bug.

    A bug in a fold that runs in a process of its own comes with the traceback of that process as text (joblib's
    `RemoteTraceback`); the one of the process that waited for it says nothing.
    """
    if issubclass(kind, KeyboardInterrupt):
        print("interrupted; run again to resume", file=sys.stderr)
        sys.exit(INTERRUPTED)
    text_of_fold = getattr(error.__cause__, "tb", None)
    if text_of_fold is None:
        sys.__excepthook__(kind, error, trace)
    else:
        print(text_of_fold.strip().strip('"').strip(), file=sys.stderr)


def _print_any_name() -> None:
    """A name that the terminal's encoding lacks is printed with its code instead of stopping the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
