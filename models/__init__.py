"""Networks: one folder per entry of the blend; blocks that several share live in `models/layers`."""
