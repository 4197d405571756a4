"""ImageNet weights from timm: python -m pytest tests/miga/training/test_imagenet.py"""

import pytest
import torch

import miga.training.torchvision_schemas  # noqa: F401, must come before timm
from miga.errors import InputError
from miga.training.imagenet import imagenet_tensors


def test_without_a_network_one_sentence_says_what_to_do(monkeypatch):
    def no_network(name, pretrained):
        raise FileNotFoundError("cannot locate the file")

    monkeypatch.setattr("timm.create_model", no_network)
    with pytest.raises(
        InputError, match=r"resnet50\.a1_in1k could not be downloaded .*--weights FILE.*--pretrained none"
    ):
        imagenet_tensors("resnet50.a1_in1k")


def test_the_pretrained_network_is_asked_for_and_its_tensors_returned(monkeypatch):
    asked = []

    def made(name, pretrained):
        asked.append((name, pretrained))
        return torch.nn.Linear(2, 1)

    monkeypatch.setattr("timm.create_model", made)
    assert set(imagenet_tensors("a.b")) == {"weight", "bias"}
    assert asked == [("a.b", True)]
