"""The former name of `python -m ensemble.forecast`, for scripts that call it."""

from ensemble.forecast import main
from miga.errors import run_command

if __name__ == "__main__":
    print("note: this command is now called ensemble.forecast")
    run_command(main)
