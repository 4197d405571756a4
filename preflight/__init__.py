"""Looks at everything that a run will need before anything is trained."""
