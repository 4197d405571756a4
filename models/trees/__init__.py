"""Trees on numbers of the joints: the floor that every network has to pass."""
