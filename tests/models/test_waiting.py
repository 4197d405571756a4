"""No entry's training step asks its device for a number, which would wait for a GPU at every step.

A step is taken on torch's device `meta`, whose tensors have shapes and no numbers: any question to it is an error.

Run alone: python -m pytest tests/models/test_waiting.py
"""

import importlib
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from torch.utils.data import default_collate

from miga.clips import load_clips
from miga.training.config import override, parse_overrides
from miga.training.verbs import loss_on, network_on, train_samples
from miga.training.watch import Shown, TrainingWatch
from pipeline import PICTURE_SIZE, entries_of
from recordings import rgb_build
from recordings.rgb_store import build_rgb_store
from tests.tiny import tiny_clips, write_clips
from tests.tiny_rgb import filmed

META = torch.device("meta")
ENTRIES = {
    name: (folder, arguments)
    for folder, name, arguments in entries_of("smoke")
    if importlib.import_module(f"models.{folder}.entry").ENTRY.is_network
}


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("waiting")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(rgb_build, "NUM_PROCESSES", 1)  # starting processes takes longer than these videos
        write_clips(filmed(tiny_clips(8, 2), folder / "videos"), "tiny")
        build_rgb_store("tiny", PICTURE_SIZE["smoke"])
        yield load_clips("tiny", "track1")


@pytest.mark.parametrize("name", ENTRIES)
def test_a_step_needs_no_numbers_of_the_device(clips, name, monkeypatch):
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())  # there is none for meta
    folder, arguments = ENTRIES[name]
    entry = importlib.import_module(f"models.{folder}.entry").ENTRY
    whole = entry.assemble(clips, override(entry.profiles["smoke"], parse_overrides(list(arguments))))
    for assembly in (*(stage.assemble() for stage in whole.stages), whole):
        samples = train_samples(assembly, clips, np.arange(4))
        batch = {key: value.to(META) for key, value in default_collate([samples[0, i] for i in range(4)]).items()}
        network, loss_fn = network_on(assembly, META).train(), loss_on(assembly, META)
        output = network(**assembly.to_input(batch, is_train=True))
        loss = loss_fn(output, batch, 0)
        loss.backward()
        logits = output["logits"] if isinstance(output, dict) else output
        num_right = (logits.argmax(1) == batch["label"]).sum()
        norm = TrainingWatch(network, False, "").measure(0, 1, [Shown(["a"], loss.detach(), num_right)])
        torch.nn.utils.clip_grads_with_norm_(network.parameters(), 1.0, norm)
