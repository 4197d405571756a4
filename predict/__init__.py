"""Your own video in, gestures out, by the blend that a run ships."""

import miga  # noqa: F401 -- Ctrl-C ends in one line from here on
