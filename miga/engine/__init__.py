"""Runs a list of steps: on the cores or the GPUs of one machine, or on a cluster. It knows nothing of models."""
