import miga  # noqa: F401 -- Ctrl-C ends in one line from here on
