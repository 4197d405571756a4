"""People of our own, simulated: how they are built, what they do, how a detector sees them, how they look."""
