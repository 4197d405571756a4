"""The floor that all stations stand on; importing it makes Ctrl-C end a command in one line."""

import sys

from miga.errors import show_uncaught

sys.excepthook = show_uncaught
