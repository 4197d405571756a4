"""The shared training: python -m pytest tests/miga/training/test_fit.py"""

import copy
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel
from torch.utils._python_dispatch import TorchDispatchMode

from miga.errors import InputError
from miga.training import fit as fit_module
from miga.training.average import MovingAverage
from miga.training.checkpoint import load_checkpoint, save_checkpoint
from miga.training.config import FitConfig
from miga.training.dataset import TrainSamples
from miga.training.fit import fit
from miga.training.optimizer import lr_factor
from miga.training.seeding import seed_torch
from miga.training.watch import NonFiniteLossError

CONFIG = FitConfig(epochs=4, batch_size=4, lr=0.05, lr_batch_size=4, ema_decay=0.9, clip_norm=1.0)
ROWS = np.arange(16)
LABELS = ROWS % 3
CPU = torch.device("cpu")


def network() -> nn.Module:
    seed_torch(0)
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3))


def sample_clip(row: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    point = np.eye(3, dtype=np.float32)[row % 3].repeat(2)
    return {"input": point + rng.normal(0, 0.3, 6).astype(np.float32)}


def run(folder, config=CONFIG, **changes):
    arguments = {
        "prepare": lambda batch: {"input": batch["input"]},
        "loss_fn": lambda logits, batch, epoch: nn.functional.cross_entropy(logits, batch["label"]),
        "folder": folder,
        "fingerprint": {"config": "a"},
        "title": "test",
        "device": CPU,
        "clip_ids": [f"0001_{row}" for row in ROWS],
    }
    return fit(network(), TrainSamples(ROWS, LABELS, sample_clip, config.seed), config, **(arguments | changes))


def weights_of(model: nn.Module) -> torch.Tensor:
    return torch.cat([tensor.double().flatten() for tensor in model.state_dict().values()])


class Killed(BaseException):
    """Stands for SIGKILL: not an Exception, so nothing may catch it."""


def test_killed_and_resumed_ends_with_the_same_weights(tmp_path, monkeypatch):
    straight = weights_of(run(tmp_path / "straight"))
    monkeypatch.setattr(fit_module, "CHECKPOINT_EVERY_SEC", 0.0)
    calls = {"n": 0}

    def loss_that_kills(logits, batch, epoch):
        calls["n"] += 1
        if calls["n"] == 10:  # in the middle of the third of four epochs
            raise Killed
        return nn.functional.cross_entropy(logits, batch["label"])

    with pytest.raises(Killed):
        run(tmp_path / "killed", loss_fn=loss_that_kills)
    assert load_checkpoint(tmp_path / "killed" / "checkpoint.pt")["epoch"] == 2
    resumed = run(tmp_path / "killed")
    assert torch.equal(weights_of(resumed), straight)
    assert not (tmp_path / "killed" / "checkpoint.pt").exists()
    assert len((tmp_path / "killed" / "log.csv").read_text().splitlines()) == 5, "one row an epoch, none twice"
    again = run(tmp_path / "killed", loss_fn=None)
    assert torch.equal(weights_of(again), straight), "a finished fit is loaded, not repeated"


def test_golden_losses(tmp_path):
    """Two epochs from a fixed seed. To renew after a deliberate change, print the rows and say why in the commit."""
    run(tmp_path, replace(CONFIG, epochs=2, ema_decay=0.0))
    losses = [float(line.split(",")[2]) for line in (tmp_path / "log.csv").read_text().splitlines()[1:]]
    np.testing.assert_allclose(losses, GOLDEN_LOSSES, atol=2e-5)


GOLDEN_LOSSES = (1.143556, 1.045533)


def test_result_does_not_depend_on_loader_processes(tmp_path):
    alone = weights_of(run(tmp_path / "a", replace(CONFIG, epochs=3)))
    helped = weights_of(run(tmp_path / "b", replace(CONFIG, epochs=3, num_workers=2)))
    assert torch.equal(alone, helped)
    logs = [[row.split(",")[:6] for row in (tmp_path / each / "log.csv").read_text().splitlines()] for each in "ab"]
    assert logs[0] == logs[1]


class Questions(TorchDispatchMode):
    """Counts the operations that wait for a GPU to answer a question of the CPU."""

    ANSWERS = ("_local_scalar_dense", "is_nonzero", "nonzero", "masked_select", "equal", "unique2")

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += function.overloadpacket.__name__ in self.ANSWERS
        return function(*args, **(kwargs or {}))


def test_a_step_asks_the_device_nothing(tmp_path):
    """Whatever the number of steps: the figures of an epoch are read at once."""
    counts = []
    for batch_size in (8, 2):  # 2 or 8 steps an epoch
        with Questions() as questions:
            run(tmp_path / str(batch_size), replace(CONFIG, epochs=2, batch_size=batch_size))
        counts.append(questions.count)
    assert counts[0] == counts[1] <= 4


def test_the_average_is_that_of_the_library():
    """PyTorch's, with the decay that grows; counters of batch norm are those of the last step."""

    def decay(averaged, current, num_averaged):
        keep = min(0.9, (1 + int(num_averaged)) / (10 + int(num_averaged)))
        for own, other in zip(averaged, current, strict=True):
            own.lerp_(other, 1 - keep) if own.is_floating_point() else own.copy_(other)

    model = network().train()
    ours, theirs = MovingAverage(model, 0.9), AveragedModel(model, multi_avg_fn=decay, use_buffers=True)
    resumed = MovingAverage(model, 0.9)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for step in range(100):
        optimizer.zero_grad()
        model(torch.randn(4, 6)).square().mean().backward()
        optimizer.step()
        ours.follow(model)
        theirs.update_parameters(model)
        if step == 50:
            resumed.load_state_dict(copy.deepcopy(ours.state_dict()))
        elif step > 50:
            resumed.follow(model)
    assert torch.equal(weights_of(ours.network), weights_of(theirs.module))
    assert torch.equal(weights_of(resumed.network), weights_of(theirs.module))


def test_non_finite_loss_stops_with_the_clip_ids(tmp_path):
    def loss_fn(logits, batch, epoch):
        return logits.sum() * float("nan")

    with pytest.raises(NonFiniteLossError, match=r"loss is nan in epoch 1 on the clips 0001_\d+, 0001_\d+"):
        run(tmp_path, loss_fn=loss_fn)
    assert not (tmp_path / "weights.pt").exists()


def test_other_settings_are_refused(tmp_path):
    run(tmp_path, replace(CONFIG, epochs=1))
    with pytest.raises(InputError, match="made with config = 'a', now 'b'"):
        run(tmp_path, replace(CONFIG, epochs=1), fingerprint={"config": "b"})


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return (os.system, (f"touch {tmp_path / 'ran'}",))

    torch.save({"model": Evil()}, tmp_path / "checkpoint.pt")
    with pytest.raises(InputError, match=r"checkpoint\.pt: not a checkpoint"):
        load_checkpoint(tmp_path / "checkpoint.pt")
    assert not (tmp_path / "ran").exists()
    (tmp_path / "half.pt").write_bytes(b"PK\x03\x04 half a file")
    with pytest.raises(InputError, match=r"half\.pt: not a checkpoint"):
        load_checkpoint(tmp_path / "half.pt")


def test_accumulation_takes_the_same_step_as_a_large_batch(tmp_path):
    """Without batch norm and dropout, 2 batches of 4 accumulated = 1 batch of 8."""

    def plain() -> nn.Module:
        seed_torch(0)
        return nn.Linear(6, 3)

    results = []
    for size, accumulation in ((8, 1), (4, 2)):
        config = FitConfig(epochs=2, batch_size=size, accumulation=accumulation, lr=0.1, lr_batch_size=8)
        model = fit(
            plain(),
            TrainSamples(ROWS, LABELS, sample_clip, 0),
            config,
            prepare=lambda batch: {"input": batch["input"]},
            loss_fn=lambda logits, batch, epoch: nn.functional.cross_entropy(logits, batch["label"]),
            folder=tmp_path / str(size),
            fingerprint={},
            title="test",
            device=CPU,
            clip_ids=[str(row) for row in ROWS],
        )
        results.append(weights_of(model))
    torch.testing.assert_close(results[0], results[1])


def test_small_sets_get_their_steps_by_more_epochs(tmp_path):
    config = replace(CONFIG, epochs=2, min_steps=13)
    factor = lr_factor(config, steps_per_epoch=4)
    assert factor(15) > 0 and factor(16) == pytest.approx(0)  # 4 epochs of 4 steps
    run(tmp_path, config)
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 1 + 4


KILL_ME = """
import sys, time
from miga.files import replacing
from pathlib import Path
with replacing(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    print("writing", flush=True)
    time.sleep(60)
"""


def test_sigkill_while_writing_leaves_the_old_file(tmp_path):
    target = tmp_path / "result.txt"
    target.write_text("old")
    process = subprocess.Popen([sys.executable, "-c", KILL_ME, str(target)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"writing\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert target.read_text() == "old"
    save_checkpoint(tmp_path / "state.pt", {"epoch": 1, "when": time.time()})
    assert load_checkpoint(tmp_path / "state.pt")["epoch"] == 1


def test_weights_of_another_network_are_refused_in_one_sentence(tmp_path):
    """As where a version of before built the network otherwise."""
    run(tmp_path, replace(CONFIG, epochs=1))
    state = load_checkpoint(tmp_path / "weights.pt")
    save_checkpoint(tmp_path / "weights.pt", {**state, "model": {"other.weight": torch.zeros(2)}})
    with pytest.raises(InputError, match=r"weights\.pt: does not fit the network .*; train it again with --overwrite"):
        run(tmp_path, replace(CONFIG, epochs=1))
