"""The stages of a two-pathway network: their order, resuming, sharing, and what may start them.

Run alone: python -m pytest tests/models/test_two_pathway_entry.py
"""

import dataclasses
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from miga.clips import load_clips
from miga.errors import InputError
from miga.rgb_store import open_rgb_store
from miga.training import verbs
from miga.training.verbs import predict_rows
from models.layers.pathway_net import PathwayNet
from models.layers.res2net3d import Res2NetBottleneck3d
from models.layers.two_pathway_config import TwoPathwayConfig
from models.layers.two_pathway_entry import assemble_two_pathways, loss_of_both, made_of, pose_stage, rgb_stage
from models.layers.two_pathway_net import TwoPathwayNet
from recordings import rgb_build
from recordings.rgb_store import build_rgb_store
from tests.assembled import place_in
from tests.tiny import tiny_clips, write_clips
from tests.tiny_rgb import filmed

CONFIG = TwoPathwayConfig(
    epochs=1, batch_size=4, lr=0.02, rgb_frames=1, picture_size=16, train_size=16, test_size=16, pool_stride=1,
    rgb_base=4, pose_base=4, rgb_blocks=(1, 1, 1, 1), pose_blocks=(1, 1, 1), dropout=0.0,
    rgb_epochs=2, rgb_batch_size=4, rgb_lr_batch_size=32, pose_epochs=2, pose_batch_size=4, pose_lr_batch_size=32,
    num_test_clips=2,
)  # fmt: skip
TRAIN, PREDICT = np.arange(10), np.arange(12)  # rows; 1 has one frame, 2 has nobody in view


@pytest.fixture
def clips(workdir, monkeypatch):
    monkeypatch.setattr(rgb_build, "NUM_PROCESSES", 1)  # starting processes takes longer than these videos
    write_clips(filmed(tiny_clips(12, 2), workdir / "videos"), "tiny")
    build_rgb_store("tiny", CONFIG.picture_size)
    return load_clips("tiny", "track1")


def build(clips, config=CONFIG) -> TwoPathwayNet:
    torch.manual_seed(3)
    return TwoPathwayNet(clips.skeleton.num_joints, clips.num_classes, config.dropout, **config.trunk)


def assembled(clips, loss=loss_of_both, **changes):
    config = dataclasses.replace(CONFIG, **changes)
    return assemble_two_pathways(build(clips, config), loss, clips, config)


def train(clips, folder, loss=loss_of_both, **changes) -> np.ndarray:
    assembly, place = assembled(clips, loss, **changes), place_in(folder)
    return predict_rows(assembly, verbs.train(assembly, clips, TRAIN, place), clips, PREDICT, place.device)


def weights_of(stage: str) -> Path:
    """The only shared training of a stage that there is."""
    (found,) = Path("checkpoints/tiny/starts").glob(f"{stage}_*/fold0/weights.pt")
    return found


def model_in(path: Path) -> dict[str, torch.Tensor]:
    return torch.load(path, weights_only=True)["model"]


def alone(clips, config=CONFIG) -> tuple[PathwayNet, PathwayNet]:
    """The networks of both stages as they are drawn."""
    store, network = open_rgb_store("tiny", config.picture_size), build(clips, config)
    return rgb_stage(network, clips, store, config).network, pose_stage(network, clips, config).network


def test_a_fold_killed_between_or_within_trainings_ends_with_the_same_bytes(clips, workdir, monkeypatch):
    straight = train(clips, workdir / "straight")
    assert straight.shape == (12, 4) and straight.dtype == np.float32
    assert np.isfinite(straight).all()  # the one-frame clip and the jointless clip too
    assert np.ptp(straight, axis=0).max() > 1e-3  # clips are told apart
    assert (workdir / "straight" / "weights.pt").exists()
    shutil.rmtree("checkpoints")

    def killed(*args, title="", fit=verbs.fit, **kwargs):
        if title.endswith("pose"):
            raise KeyboardInterrupt
        return fit(*args, title=title, **kwargs)

    def killed_in_the_whole(output, batch, epoch):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(verbs, "fit", killed)
        train(clips, workdir / "killed")
    with pytest.raises(KeyboardInterrupt):
        train(clips, workdir / "killed", loss=killed_in_the_whole)
    before = weights_of("rgb").stat().st_mtime_ns
    np.testing.assert_array_equal(train(clips, workdir / "killed"), straight)
    assert weights_of("rgb").stat().st_mtime_ns == before


def test_entries_share_the_stages_that_are_made_of_the_same(clips, workdir):
    first = train(clips, workdir / "first")
    before = {stage: weights_of(stage).stat().st_mtime_ns for stage in ("rgb", "pose")}
    train(clips, workdir / "other", lr=0.01, laterals=False, epochs=2, num_test_clips=1)
    assert {stage: weights_of(stage).stat().st_mtime_ns for stage in before} == before
    train(clips, workdir / "blurred", pose_sigma=1.0)
    assert weights_of("rgb").stat().st_mtime_ns == before["rgb"]
    assert len(list(Path("checkpoints/tiny/starts").glob("pose_*"))) == 2
    np.testing.assert_array_equal(train(clips, workdir / "again"), first)


def test_a_refit_has_starts_of_its_own_which_entries_share_too(clips, workdir):
    def refit(folder: str, **changes) -> np.ndarray:
        assembly, place = assembled(clips, **changes), place_in(workdir / folder, None)
        return predict_rows(assembly, verbs.train(assembly, clips, np.arange(12), place), clips, PREDICT, place.device)

    train(clips, workdir / "fold")
    of_fold = {path: path.stat().st_mtime_ns for path in Path("checkpoints").rglob("weights.pt")}
    first = refit("all")
    starts = {path: path.stat().st_mtime_ns for path in Path("checkpoints/tiny/starts").glob("*/all/weights.pt")}
    assert {path.parts[3].partition("_")[0] for path in starts} == {"rgb", "pose"}
    refit("other", laterals=False)
    assert {path: path.stat().st_mtime_ns for path in (*of_fold, *starts)} == {**of_fold, **starts}
    np.testing.assert_array_equal(refit("again"), first)
    drawn = {model_in(path)["backbone.conv1.conv.weight"].sum().item() for path in (*of_fold, *starts)}
    assert len(drawn) == 4


def test_another_seed_draws_other_first_weights_of_a_stage(clips, workdir):
    drawn = []
    for seed in (0, 1):
        train(clips, workdir / f"seed{seed}", seed=seed, rgb_lr=0.0, pose_lr=0.0)
        drawn.append(model_in(weights_of("pose"))["backbone.conv1.conv.weight"])
        shutil.rmtree("checkpoints")
    assert not torch.equal(*drawn)


OF_THE_WHOLE = {
    "laterals": False, "detach_laterals": True, "lateral_drop": 0.5, "weights": "x", "sigma": 2.0, "epochs": 7,
}  # fmt: skip
OTHERS = {
    "rgb": {**OF_THE_WHOLE, "input": "limb", "pose_base": 8, "pose_sigma": 2.0, "pose_lr": 9.0, "speed_ratio": 2},
    "pose": {**OF_THE_WHOLE, "rgb_base": 8, "rgb_lr": 9.0, "colour": 0.5, "static": 0.5, "pretrained": "imagenet"},
}
OWN = {
    "rgb": {"rgb_frames": 2, "rgb_base": 8, "rgb_lr": 9.0, "colour": 0.5, "static": 0.5, "seed": 1, "pretrained": "x"},
    "pose": {"input": "limb", "pose_base": 8, "pose_lr": 9.0, "pose_sigma": 2.0, "speed_ratio": 2, "seed": 1},
}


@pytest.mark.parametrize("stage", ["rgb", "pose"])
def test_what_a_stage_is_made_of(stage):
    network = TwoPathwayNet(22, 4, **CONFIG.trunk)
    made = partial(made_of, network, stage=stage)
    for name, value in OTHERS[stage].items():
        assert made(config=dataclasses.replace(CONFIG, **{name: value})) == made(config=CONFIG), name
    for name, value in OWN[stage].items():
        assert made(config=dataclasses.replace(CONFIG, **{name: value})) != made(config=CONFIG), name
    res2net = TwoPathwayNet(22, 4, block=Res2NetBottleneck3d, **CONFIG.trunk)
    assert made_of(res2net, CONFIG, stage) != made(config=CONFIG)


def test_weights_of_the_whole_network_leave_the_stages_out(clips, workdir):
    train(clips, workdir / "first")
    shutil.rmtree("checkpoints")
    weights = str(workdir / "first" / "weights.pt")
    kept = train(clips, workdir / "again", weights=weights, lr=0.0)
    assert not Path("checkpoints").exists()
    state = model_in(Path(weights))
    for key, tensor in model_in(workdir / "again" / "weights.pt").items():
        if not key.endswith(("running_mean", "running_var", "num_batches_tracked")):
            assert torch.equal(tensor, state[key])
    table = clips.table.assign(label=0)
    fewer = dataclasses.replace(clips, classes=clips.classes[:2], table=table, mirror=np.arange(2))
    assert train(fewer, workdir / "part", weights=weights).shape == (12, 2)
    assert kept.shape == (12, 4)


def test_checkpoints_of_one_pathway_start_its_stage(clips, workdir):
    wide = dataclasses.replace(clips, classes=tuple("abcdefghi"))  # of another data set
    nets = dict(zip(("rgb", "pose"), alone(wide), strict=True))
    for name, net in nets.items():
        torch.save({"state_dict": net.state_dict()}, workdir / f"{name}.pth")
    files = {"weights_rgb": str(workdir / "rgb.pth"), "weights_pose": str(workdir / "pose.pth")}
    train(clips, workdir / "still", **files, rgb_lr=0.0, pose_lr=0.0)
    still = {name: model_in(weights_of(name)) for name in nets}
    shutil.rmtree("checkpoints")
    train(clips, workdir / "fold", **files)
    for name, net in nets.items():
        trained = model_in(weights_of(name))
        assert torch.equal(still[name]["backbone.conv1.conv.weight"], net.backbone.conv1.conv.weight)
        for key in ("backbone.conv1.conv.weight", "cls_head.fc_cls.weight"):
            assert not torch.equal(still[name][key], trained[key])
    fits = "takes a SlowOnly-R50 on pictures of pyskl, mmaction2 or pytorchvideo, a 2D ResNet-50 of timm or torchvision"
    with pytest.raises(InputError, match=f"stage rgb: .*expected at least 50%.*{fits}"):
        train(clips, workdir / "swapped", weights_rgb=files["weights_pose"])


def test_a_pathway_of_res2net_says_what_fits_it(clips):
    torch.save({"state_dict": alone(clips)[0].state_dict()}, "slowonly.pth")
    network = TwoPathwayNet(22, 4, block=Res2NetBottleneck3d, **CONFIG.trunk)
    config = dataclasses.replace(CONFIG, weights_rgb="slowonly.pth")
    with pytest.raises(InputError, match=r"slowonly\.pth: only .*a 2D Res2Net-50 26w x 4s of timm"):
        rgb_stage(network, clips, open_rgb_store("tiny", config.picture_size), config)


def test_only_the_whole_network_can_be_kept_to_the_classifiers(clips, workdir):
    train(clips, workdir / "still", pose_lr=0.0)
    started = model_in(weights_of("pose"))
    shutil.rmtree("checkpoints")
    train(clips, workdir / "fold", heads_only=True)
    pose, whole = model_in(weights_of("pose")), model_in(workdir / "fold" / "weights.pt")
    assert not torch.equal(pose["backbone.conv1.conv.weight"], started["backbone.conv1.conv.weight"])
    assert torch.equal(whole["backbone.pose_path.conv1.conv.weight"], pose["backbone.conv1.conv.weight"])
    assert not torch.equal(whole["cls_head.fc_pose.weight"], pose["cls_head.fc_cls.weight"])


def test_a_start_for_the_rgb_stage_is_taken(clips, workdir):
    rgb_net, _ = alone(clips)
    torch.save(rgb_net.state_dict(), workdir / "kinetics.pth")
    train(clips, workdir / "fold", pretrained=str(workdir / "kinetics.pth"), rgb_lr=0.0)
    assert torch.equal(model_in(weights_of("rgb"))["backbone.conv1.conv.weight"], rgb_net.backbone.conv1.conv.weight)


@pytest.mark.parametrize("views", [1, 5, 10, 15])
def test_every_number_of_test_clips_gives_that_many_views(clips, monkeypatch, views):
    seen = []

    def forward(self, rgb, heatmaps):
        seen.append(len(rgb))
        return {"logits": torch.zeros(len(rgb), 4)}

    monkeypatch.setattr(TwoPathwayNet, "forward", forward)
    assembly = assembled(clips, num_test_clips=views, test_batch_size=1)
    predict_rows(assembly, assembly.network.eval(), clips, PREDICT, torch.device("cpu"))
    assert seen == [views] * len(PREDICT)


def test_stages_have_the_sizes_of_their_pathways(clips):
    network = build(clips)
    for net, path in zip(alone(clips), (network.backbone.rgb_path, network.backbone.pose_path), strict=True):
        names = {name for name in path.state_dict() if "lateral" not in name}
        assert set(net.backbone.state_dict()) == names
        assert type(net.backbone.layer1[0]) is type(path.layer1[0])
