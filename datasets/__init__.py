"""From recordings on disk to clips. Importing it makes Ctrl-C end a command in one line, while libraries load too."""

import sys

from datasets.errors import show_uncaught

sys.excepthook = show_uncaught
