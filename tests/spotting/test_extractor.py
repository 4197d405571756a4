"""Stage 1's networks beside the public ones. Alone: python -m pytest -n 0 tests/spotting/test_extractor.py"""

import torch

from spotting.early_stream import EarlyExtractor
from spotting.extractor import pose_extractor, rgb_extractor
from spotting.profiles import PROFILES, profile_config
from tests.models import test_posec3d, test_rgbpose
from tests.models.formula import fill_by_name

PAPER = PROFILES["paper"]


def test_the_skeletons_extractor_is_the_public_network_with_temporal_strides_of_one():
    """The numbers are those of the public code, see tests/models/test_posec3d.py."""
    arguments, features, logits = test_posec3d.GOLDEN["stride-1-346"]
    assert arguments["temporal_strides"] == (1, 1, 1)
    model = pose_extractor(arguments["in_channels"], arguments["num_classes"], 32, arguments["blocks"], 0.5).eval()
    fill_by_name(model)
    clip = test_posec3d.formula_clip(arguments["in_channels"])
    with torch.no_grad():
        volume, tokens = model.backbone(clip), model.forward_frames(clip)
        some = volume.flatten()[:: volume.numel() // 5][:5]
        torch.testing.assert_close(some, torch.tensor(features), rtol=0, atol=1e-4)
        torch.testing.assert_close(model.cls_head(tokens.mean(1))[0, :6], torch.tensor(logits), rtol=0, atol=1e-4)
    assert tokens.shape == (1, clip.shape[2], 512)  # a token a frame
    for frame in range(clip.shape[2]):
        torch.testing.assert_close(tokens[0, frame], volume[0, :, frame].mean(dim=(1, 2)))


def test_the_extractor_of_early_fusion_is_the_public_network_with_laterals():
    """The numbers are those of the public code, see tests/models/test_rgbpose.py."""
    golden = test_rgbpose.GOLDEN["small, max-pool without stride"]
    model = EarlyExtractor(**golden["arguments"]).eval()
    fill_by_name(model)
    rgb, heatmaps = test_rgbpose.formula_clip(*golden["clip"])
    channels = list(model.backbone.out_channels)
    with torch.no_grad():
        of_rgb, of_pose = model.forward_frames(rgb, heatmaps).split(channels, dim=2)
        logits_rgb, logits_pose = model.cls_head(of_rgb.mean(1), of_pose.mean(1))
    assert of_rgb.shape[1] == of_pose.shape[1] == heatmaps.shape[2]  # the skeleton's frames, 4 to a picture
    assert torch.equal(of_rgb[:, 0], of_rgb[:, 3]) and not torch.equal(of_rgb[:, 3], of_rgb[:, 4])
    torch.testing.assert_close(logits_rgb[0, :6], torch.tensor(golden["logits_rgb"]), rtol=0, atol=1e-4)
    torch.testing.assert_close(logits_pose[0, :6], torch.tensor(golden["logits_pose"]), rtol=0, atol=1e-4)


def test_published_sizes():
    pose, rgb = PAPER.extractor, PAPER.rgb
    with torch.device("meta"):
        skeleton = pose_extractor(17, 17, pose.base_channels, pose.blocks, pose.dropout)
        pictures = rgb_extractor(17, rgb.base_channels, rgb.blocks, rgb.pool_stride, rgb.dropout)
        of_skeleton = skeleton.forward_frames(torch.empty(1, 17, 8, 56, 56))
        of_pictures = pictures.forward_frames(torch.empty(1, 3, 8, 224, 224))
    assert of_skeleton.shape == (1, 8, 512) and of_pictures.shape == (1, 8, 2048)
    millions = [sum(p.numel() for p in net.backbone.parameters()) / 1e6 for net in (skeleton, pictures)]
    assert [round(number, 3) for number in millions] == [1.994, 31.634]


def test_the_paper_profile_has_nothing_that_the_paper_has_not():
    extractor, detector = PAPER.extractor, PAPER.detector
    assert (extractor.background_share, extractor.augmentation, extractor.num_views) == (0, 0, 1)
    assert (extractor.tokens, extractor.sampling, extractor.box_frames) == ("features", "uniform", 0)
    assert (detector.token_norm, detector.empty_share, detector.context_layers) == (False, 0, 0)
    assert (detector.dropout, PAPER.search.mirror) == (0, False)
    windows = {member: profile_config("paper", member).detector.window for member in ("joint", "rgb", "early", "late")}
    assert windows == {"joint": 256, "rgb": 256, "early": 256, "late": 512}  # the best of each in Table 2
