"""What an entry's command does: its folds, each trained or resumed, joined into one out-of-fold file."""
