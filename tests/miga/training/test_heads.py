"""Training the classifier alone: python -m pytest tests/miga/training/test_heads.py"""

import numpy as np
import pytest
import torch
from torch import nn

from miga.training.config import FitConfig
from miga.training.dataset import TrainSamples
from miga.training.fit import fit
from miga.training.heads import freeze_all_but_heads, heads_in_train_mode

CPU = torch.device("cpu")


class Net(nn.Module):
    HEADS = ("top.fc",)

    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(0.5))
        self.top = nn.ModuleDict({"drop": nn.Dropout(0.5), "fc": nn.Sequential(nn.Dropout(0.1), nn.Linear(6, 3))})

    def forward(self, input):
        return self.top["fc"](self.top["drop"](self.backbone(input)))


@pytest.mark.parametrize("ema_decay", [0.0, 0.9])
def test_only_the_classifier_changes(tmp_path, ema_decay):
    torch.manual_seed(0)
    model = Net()
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    labels = np.arange(12) % 3
    points = np.eye(3, 4, dtype=np.float32)[labels] + np.arange(12, dtype=np.float32)[:, None] / 10
    trained = fit(
        model,
        TrainSamples(np.arange(12), labels, lambda row, rng: {"input": points[row]}, 0),
        FitConfig(epochs=3, batch_size=4, lr=0.5, lr_batch_size=4, heads_only=True, ema_decay=ema_decay),
        prepare=lambda batch: {"input": batch["input"]},
        loss_fn=lambda logits, batch, epoch: nn.functional.cross_entropy(logits, batch["label"]),
        folder=tmp_path,
        fingerprint={},
        title="test",
        device=CPU,
        clip_ids=[str(row) for row in range(12)],
    )
    changed = {key for key, tensor in trained.state_dict().items() if not torch.equal(tensor, before[key])}
    assert changed == {"top.fc.1.weight", "top.fc.1.bias"}
    assert torch.load(tmp_path / "weights.pt", weights_only=True)["heads"] == ["top.fc"]


def test_what_contains_a_head_and_what_is_in_it_train():
    model = Net().train()
    heads_in_train_mode(model)
    training = {name for name, module in model.named_modules() if module.training}
    assert training == {"", "top", "top.fc", "top.fc.0", "top.fc.1"}
    freeze_all_but_heads(model)
    assert {n for n, p in model.named_parameters() if p.requires_grad} == {"top.fc.1.weight", "top.fc.1.bias"}


@pytest.mark.parametrize("heads", [(), ("fc",)])
def test_a_network_must_state_its_heads(heads, monkeypatch):
    monkeypatch.setattr(Net, "HEADS", heads)
    with pytest.raises(ValueError, match=r"Net\.HEADS = .*expected names of its submodules"):
        freeze_all_but_heads(Net())
