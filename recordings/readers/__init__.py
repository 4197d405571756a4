"""One reader for each layout on the disk; all give recordings.recording.Source."""
