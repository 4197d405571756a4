"""Loading other people's checkpoints: what fits, what is adapted, what is refused.

Run alone: python -m pytest tests/miga/training/test_weights.py
"""

import pathlib
import pickle

import pytest
import torch
from safetensors.torch import save_file

from miga.errors import InputError
from miga.skeletons import IMIGUE_TO_COCO
from miga.training.weights import load_weights
from spotting.extractor import pose_extractor


def small_net(in_channels=17, num_classes=6):
    torch.manual_seed(in_channels + num_classes)
    return pose_extractor(in_channels, num_classes, base_channels=4, blocks=(1, 1, 1), dropout=0.5)


def public_checkpoint(tmp_path, model, name="public.pth", **extra):
    """A file laid out as the public ones: a dict with `meta` and `state_dict`, keys `backbone.` and `cls_head.`."""
    state_dict = {
        key: tensor + 0.5 if tensor.is_floating_point() else tensor for key, tensor in model.state_dict().items()
    }
    path = tmp_path / name
    torch.save({"meta": {"epoch": 24, "classes": None}, "state_dict": state_dict | extra}, path)
    return path, state_dict


def test_a_public_checkpoint_of_the_same_size_loads_whole(tmp_path, capsys):
    path, state_dict = public_checkpoint(tmp_path, small_net())
    model = small_net()
    report = load_weights(model, path)
    assert report.share == 1.0
    assert set(report.loaded) == set(state_dict)
    assert not report.missing and not report.unexpected and not report.reshaped
    assert all(torch.equal(tensor, state_dict[key]) for key, tensor in model.state_dict().items())
    assert "100.0%" in capsys.readouterr().out


def test_other_joints_and_classes_are_adapted_and_reported(tmp_path, capsys):
    path, state_dict = public_checkpoint(tmp_path, small_net(17, 60))
    model = small_net(22, 32)
    classifier = model.cls_head.fc_cls.weight.clone()
    report = load_weights(model, path, stem_map=IMIGUE_TO_COCO)
    stem, public_stem = model.backbone.conv1.conv.weight, state_dict["backbone.conv1.conv.weight"]
    assert torch.equal(stem[:, 4], public_stem[:, 10])  # our wrist 4 is COCO's right wrist 10
    assert torch.equal(stem[:, 9], public_stem[:, 1])
    for joint_without_counterpart in (1, 12, 21):
        torch.testing.assert_close(stem[:, joint_without_counterpart], public_stem.mean(1))
    assert torch.equal(model.cls_head.fc_cls.weight, classifier)
    assert set(report.reshaped) == {"backbone.conv1.conv.weight", "cls_head.fc_cls.weight", "cls_head.fc_cls.bias"}
    assert "backbone.conv1.conv.weight" in report.loaded and "cls_head.fc_cls.weight" not in report.loaded
    printed = capsys.readouterr().out
    assert "adapted from 17 to 22 input channels" in printed
    assert "cls_head.fc_cls.weight: left as initialised: (60, 64) in the file, (32, 64) here" in printed


def test_without_a_stem_map_a_stem_of_other_width_is_left(tmp_path):
    path, _ = public_checkpoint(tmp_path, small_net(17))
    model = small_net(22)
    stem = model.backbone.conv1.conv.weight.clone()
    report = load_weights(model, path)
    assert torch.equal(model.backbone.conv1.conv.weight, stem)
    assert "left as initialised" in report.reshaped["backbone.conv1.conv.weight"]


def test_missing_and_unexpected_keys_are_named(tmp_path, capsys):
    source = small_net()
    path, state_dict = public_checkpoint(tmp_path, source, **{"cls_head.emb_fc.weight": torch.zeros(3)})
    del state_dict["backbone.layer1.0.conv2.bn.weight"]
    torch.save({"state_dict": state_dict | {"cls_head.emb_fc.weight": torch.zeros(3)}}, path)
    report = load_weights(small_net(), path)
    assert report.missing == ["backbone.layer1.0.conv2.bn.weight"]
    assert report.unexpected == ["cls_head.emb_fc.weight"]
    printed = capsys.readouterr().out
    assert report.missing[0] in printed and report.unexpected[0] in printed


def test_prefixes_can_be_renamed(tmp_path):
    path, state_dict = public_checkpoint(tmp_path, small_net())
    pathway = torch.nn.ModuleDict({"pose_path": small_net().backbone})
    report = load_weights(pathway, path, rename={"backbone.": "pose_path."})
    assert report.share == 1.0
    assert report.unexpected == ["cls_head.fc_cls.weight", "cls_head.fc_cls.bias"]
    assert torch.equal(pathway.pose_path.conv1.conv.weight, state_dict["backbone.conv1.conv.weight"])


def test_a_bare_state_dict_and_safetensors_load_too(tmp_path):
    state_dict = small_net().state_dict()
    torch.save(state_dict, tmp_path / "bare.pt")
    save_file(state_dict, tmp_path / "weights.safetensors")
    assert load_weights(small_net(), tmp_path / "bare.pt").share == 1.0
    assert load_weights(small_net(), tmp_path / "weights.safetensors").share == 1.0


def test_a_file_that_fits_too_little_is_refused_and_changes_nothing(tmp_path):
    path, _ = public_checkpoint(tmp_path, pose_extractor(17, 6, base_channels=6, blocks=(1, 1, 1), dropout=0.5))
    model = small_net()
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    with pytest.raises(InputError, match=r"only 0\.0% of the model's parameters"):
        load_weights(model, path)
    assert all(torch.equal(tensor, before[key]) for key, tensor in model.state_dict().items())


def test_a_stem_map_for_another_skeleton_is_refused(tmp_path):
    path, _ = public_checkpoint(tmp_path, small_net(17))
    with pytest.raises(InputError, match="the stem map sends channel 17 of 17"):
        load_weights(small_net(22), path, stem_map={0: 17})


class TouchesAFile:
    """Unpickling it would run code."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return pathlib.Path.touch, (self.path,)


@pytest.mark.parametrize(
    "write", [torch.save, lambda content, path: path.write_bytes(pickle.dumps(content, protocol=2))]
)
def test_a_checkpoint_that_would_run_code_is_refused(tmp_path, write):
    path, victim = tmp_path / "bad.pth", tmp_path / "touched"
    write({"state_dict": {"backbone.conv1.conv.weight": TouchesAFile(victim)}}, path)
    with pytest.raises(InputError, match="would run code") as caught:
        load_weights(small_net(), path)
    assert not victim.exists()
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


def test_files_that_are_no_checkpoints_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such weights file"):
        load_weights(small_net(), tmp_path / "absent.pth")
    for name, content in (
        ("empty.pth", b""),
        ("text.pth", b"hello there"),
        ("cut.pth", None),
        ("t.safetensors", b"xx"),
    ):
        path = tmp_path / name
        if content is None:
            whole, _ = public_checkpoint(tmp_path, small_net())
            content = whole.read_bytes()[:2000]
        path.write_bytes(content)
        with pytest.raises(InputError, match=name.replace(".", r"\.")):
            load_weights(small_net(), path)
    torch.save({"epoch": 3}, tmp_path / "plain.pth")
    with pytest.raises(InputError, match="found no tensors"):
        load_weights(small_net(), tmp_path / "plain.pth")
