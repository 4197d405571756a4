"""One reader for each layout on the disk; all give datasets.recordings.Source."""
