"""The image-level baseline: its size, frozen layers, frames and keypoints that agree, and training on filmed clips.

Run alone: python -m pytest tests/models/test_image_level.py
"""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from miga.clips import Clips, load_clips
from miga.errors import InputError
from miga.rgb_store import RgbStore
from miga.skeletons import COCO_17, IMIGUE_22, SMG_25
from models.image_level.config import PROFILES
from models.image_level.entry import ENTRY, build_network
from models.image_level.frames import FrameTransform, keypoint_joints, keypoint_vectors
from models.image_level.model import ImageLevel
from models.image_level.train import main
from recordings import rgb_build
from recordings.rgb_store import build_rgb_store
from tests.assembled import fold_of
from tests.tiny import tiny_clips, write_clips
from tests.tiny_rgb import DOT_JOINT, dot_centre, filmed, picture

CONFIG = PROFILES["smoke"]
CPU = torch.device("cpu")
SIZE = 64
LEFT_WRIST = COCO_17.joints.index("left_wrist")  # the COCO joint of the joint that tests/tiny_rgb.py draws a dot on


def small() -> ImageLevel:
    torch.manual_seed(0)
    return build_network(4, 17, CONFIG)


@pytest.fixture
def clips(workdir, monkeypatch) -> Clips:
    monkeypatch.setattr(rgb_build, "NUM_PROCESSES", 1)  # starting processes takes longer than these videos
    write_clips(filmed(tiny_clips(), workdir / "films"), "tiny")
    build_rgb_store("tiny", CONFIG.picture_size)
    return load_clips("tiny", "track1")


def fold(clips, rows, wanted, folder: Path, config=CONFIG):
    return fold_of(ENTRY, config, clips, rows, wanted, folder)


def test_it_has_the_published_parts_and_size():
    with torch.device("meta"):
        model = ImageLevel(32)
        logits = model(torch.empty(2, 3, 224, 224), torch.empty(2, 51))
    assert sum(p.numel() for p in model.backbone.parameters()) == 5_858_704
    assert model.backbone.num_features == 1280
    layers = [layer for layer in model.modules() if isinstance(layer, torch.nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in layers] == [
        (1280, 256), (256, 128), (51, 64), (192, 128), (128, 32),
    ]  # fmt: skip
    assert logits.shape == (2, 32)


def test_keypoints_are_those_of_coco_where_the_skeleton_has_them():
    joints = keypoint_joints(IMIGUE_22)
    named = {COCO_17.joints[p]: IMIGUE_22.joints[j] for p, j in enumerate(joints) if j >= 0}
    # Arm b is on the side of eye b: the left of COCO.
    assert named["nose"] == "nose" and named["left_wrist"] == "wrist_b" and named["right_elbow"] == "elbow_a"
    assert {COCO_17.joints[p].split("_")[1] for p in np.flatnonzero(joints < 0)} == {"hip", "knee", "ankle"}
    assert keypoint_joints(COCO_17).tolist() == list(range(17))
    assert keypoint_joints(SMG_25).tolist() == list(range(25))


def test_the_vector_is_y_x_score_of_the_clearest_person():
    joints = np.zeros((2, 2, 22, 3), np.float32)
    joints[0, 1, 0] = (16, 48, 0.8)  # the nose of the second person
    joints[1, 0, 0] = (80, -5, 0.5)  # outside the picture
    vectors = keypoint_vectors(joints, SIZE, keypoint_joints(IMIGUE_22))
    assert vectors.shape == (2, 51)
    assert vectors[0, :3] == pytest.approx([0.75, 0.25, 0.8]) and vectors[1, :3] == pytest.approx([0, 1, 0.5])
    assert not vectors[:, 3:].any()


def dotted() -> tuple[RgbStore, np.ndarray]:
    """A clip of six frames whose dot walks across, and its joints."""
    joints = np.zeros((6, 1, 22, 3), np.float32)
    joints[:, 0, DOT_JOINT, :2] = np.linspace((20, 24), (44, 40), 6)
    joints[:, 0, DOT_JOINT, 2] = 0.9
    shown = np.stack([picture(frame, size=(SIZE, SIZE), scale=1) for frame in joints])
    index = np.array([(0, i * shown[0].size, (i + 1) * shown[0].size) for i in range(6)])
    boxes = np.array([[0, 0, SIZE, SIZE]], np.float32)
    return RgbStore(SIZE, boxes, np.array([0, 6]), index, (shown.ravel(),), True), joints


def test_the_dot_is_where_the_keypoint_says():
    store, joints = dotted()
    transform = FrameTransform(
        IMIGUE_22, train_size=48, test_size=SIZE, num_views=3, flip_train=True, flip_views=True, area_min=0.5
    )
    # Mirrored, the left wrist is the right one: its keypoint follows it in the vector.
    mirrored = COCO_17.joints.index("right_wrist")
    seen = set()
    for seed in range(30):
        view = transform.train_view(store, 0, joints, np.random.default_rng(seed))
        assert view["rgb"].shape == (1, 48, 48, 3)
        points = view["keypoints"].reshape(17, 3)
        place = int(points[:, 2].argmax())
        seen.add(place)
        inside = 0.1 < points[place, 0] < 0.9 and 0.1 < points[place, 1] < 0.9
        if inside:  # else the crop cuts the dot
            assert dot_centre(view["rgb"][0]) / 48 == pytest.approx(points[place, 1::-1], abs=0.025)
    assert seen == {LEFT_WRIST, mirrored}
    views = transform.test_views(store, 0, joints)
    assert views["rgb"].shape == (6, 1, SIZE, SIZE, 3) and views["keypoints"].shape == (6, 51)
    for number, place in enumerate([LEFT_WRIST] * 3 + [mirrored] * 3):
        y, x, _ = views["keypoints"][number].reshape(17, 3)[place]
        assert dot_centre(views["rgb"][number, 0]) / SIZE == pytest.approx([x, y], abs=0.02)


@pytest.mark.parametrize("num_frames", [1, 2, 5, 40])
def test_test_frames_spread_over_clips_of_any_length(num_frames):
    class Reader:
        size, boxes = SIZE, np.array([[0, 0, SIZE, SIZE]], np.float32)

        def read(self, row, indexes):
            self.asked = indexes
            return np.zeros((len(indexes), SIZE, SIZE, 3), np.uint8)

    store = Reader()
    FrameTransform(IMIGUE_22, num_views=4, test_size=SIZE).test_views(store, 0, np.zeros((num_frames, 1, 22, 3)))
    assert len(store.asked) == 4 and store.asked.min() >= 0 and store.asked.max() < num_frames
    assert (np.diff(store.asked) >= 0).all() and len(set(store.asked)) == min(4, num_frames)


def test_a_frozen_backbone_stays_and_learns_again():
    model = small()
    before = {name: tensor.clone() for name, tensor in model.backbone.state_dict().items()}
    pictures, keypoints = torch.rand(4, 3, 32, 32), torch.rand(4, 51)

    def step() -> bool:
        model.train()
        optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
        model(pictures, keypoints).square().sum().backward()
        optimizer.step()
        return all(torch.equal(tensor, before[name]) for name, tensor in model.backbone.state_dict().items())

    classifier = model.classifier.weight.clone()
    model.freeze_backbone(True)
    assert step() and not torch.equal(model.classifier.weight, classifier)
    model.freeze_backbone(False)
    assert not step()


def test_batch_mates_do_not_change_the_logits():
    model = small().eval()
    pictures, keypoints = torch.rand(3, 3, 32, 32), torch.rand(3, 51)
    with torch.no_grad():
        together = model(pictures, keypoints)
        alone = torch.cat([model(p[None], k[None]) for p, k in zip(pictures, keypoints, strict=True)])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)


def test_eight_frames_can_be_learnt_by_heart():
    torch.manual_seed(0)
    model = ImageLevel(4, channel_multiplier=0.125, depth_multiplier=0.1, dropout=0.0).train()
    pictures, keypoints, labels = torch.rand(8, 3, 32, 32), torch.rand(8, 51), torch.arange(8) % 4
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3, amsgrad=True)
    for _ in range(40):
        loss = torch.nn.functional.cross_entropy(model(pictures, keypoints), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.1


def test_every_clip_gets_logits_that_do_not_depend_on_the_others(clips, tmp_path):
    train_rows, every = np.flatnonzero(clips.table.label >= 0), np.arange(len(clips))
    assert 1 in clips.table.num_frames.to_numpy() and any(not clips.joints_of(row).any() for row in every)
    logits = fold(clips, train_rows, every, tmp_path / "fold")
    assert logits.shape == (len(clips), clips.num_classes) and np.isfinite(logits).all()
    alone = fold(clips, train_rows, every[3:4], tmp_path / "fold")  # nothing is trained again
    np.testing.assert_allclose(alone, logits[3:4], atol=1e-5)


def test_frozen_passes_come_first_and_are_left_out_with_weights(clips, tmp_path, capsys):
    rows = np.flatnonzero(clips.table.label >= 0)
    config = dataclasses.replace(CONFIG, epochs=1, frozen_epochs=1)
    fold(clips, rows, rows[:1], tmp_path / "fold", config)
    frozen, last = (torch.load(tmp_path / "fold" / f) for f in ("frozen/weights.pt", "weights.pt"))
    stem = "backbone.conv_stem.weight"
    assert not torch.equal(frozen["model"][stem], last["model"][stem])

    part = dataclasses.replace(
        clips, table=clips.table.assign(label=clips.table.label.clip(upper=1)), classes=("a", "b"), mirror=np.arange(2)
    )
    started = dataclasses.replace(config, weights=str(tmp_path / "fold" / "weights.pt"))
    logits = fold(part, lambda epoch: rows[epoch::2], rows[:5], tmp_path / "part", started)
    assert logits.shape == (5, 2) and np.isfinite(logits).all()
    assert not (tmp_path / "part" / "frozen").exists()
    assert "classifier.weight: left as initialised: (4," in capsys.readouterr().out


def test_a_file_of_timms_network_fills_the_backbone(tmp_path):
    config = dataclasses.replace(CONFIG, channel_multiplier=1.0)  # most of the parameters are in the backbone
    tensors = build_network(4, 17, config).backbone.state_dict()
    torch.save(tensors, tmp_path / "b0.pth")
    started = build_network(4, 17, dataclasses.replace(config, weights=str(tmp_path / "b0.pth")))
    assert all(torch.equal(tensor, tensors[name]) for name, tensor in started.backbone.state_dict().items())


def test_a_file_of_efficientnet_lite_fills_its_backbone(tmp_path):
    """Its tensors lie in timm's order under other names; each gets a value of its own."""
    config = dataclasses.replace(CONFIG, backbone="tf_efficientnet_lite0", channel_multiplier=1.0, depth_multiplier=1.0)
    expected = build_network(4, 17, config).backbone.state_dict()
    torch.manual_seed(1)
    expected = {
        key: torch.randn_like(t) if t.is_floating_point() else torch.ones_like(t) for key, t in expected.items()
    }
    blocks = sorted({tuple(key.split(".")[1:3]) for key in expected if key.startswith("blocks.")})
    other = {"conv_pw": "_expand_conv", "bn1": "_bn0", "conv_dw": "_depthwise_conv", "bn2": "_bn1"}
    other |= {"conv_pwl": "_project_conv", "bn3": "_bn2"}
    first = {"conv_dw": "_depthwise_conv", "bn1": "_bn1", "conv_pw": "_project_conv", "bn2": "_bn2"}
    top = {"conv_stem": "_conv_stem", "bn1": "_bn0", "conv_head": "_conv_head", "bn2": "_bn1"}
    theirs = {"_fc.weight": torch.zeros(1000, 1280), "_fc.bias": torch.zeros(1000)}
    for key, tensor in expected.items():
        parts = key.split(".")
        if parts[0] == "blocks":
            names = first if parts[1] == "0" else other
            theirs[f"_blocks.{blocks.index((parts[1], parts[2]))}.{names[parts[3]]}.{parts[4]}"] = tensor
        else:
            theirs[f"{top[parts[0]]}.{parts[1]}"] = tensor
    torch.save(theirs, tmp_path / "lite0.pth")
    started = build_network(4, 17, dataclasses.replace(config, weights=str(tmp_path / "lite0.pth")))
    assert all(torch.equal(tensor, expected[name]) for name, tensor in started.backbone.state_dict().items())


def test_the_lite_backbone_has_one_size_and_no_download(workdir):
    with pytest.raises(InputError, match="needs --channel_multiplier 1"):
        main(["--run", "tiny", "--profile", "smoke", "--backbone", "tf_efficientnet_lite0"])
    with pytest.raises(InputError, match="--backbone resnet50: expected one of"):
        main(["--run", "tiny", "--profile", "smoke", "--backbone", "resnet50"])
    with pytest.raises(InputError, match="--pretrained imagenet is for"):
        main(["--run", "tiny", "--backbone", "tf_efficientnet_lite0", "--pretrained", "imagenet"])


def test_imagenet_weights_need_the_full_network(workdir):
    with pytest.raises(InputError, match="--pretrained imagenet: these weights need --channel-multiplier 1"):
        main(["--run", "tiny", "--profile", "smoke", "--pretrained", "imagenet"])
    with pytest.raises(InputError, match="--pretrained x: expected none or imagenet"):
        main(["--run", "tiny", "--profile", "smoke", "--pretrained", "x"])
