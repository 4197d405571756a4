"""Networks: one folder per entry of the blend; blocks that several share live in `models/layers`."""

import miga  # noqa: F401 -- Ctrl-C ends in one line from here on
