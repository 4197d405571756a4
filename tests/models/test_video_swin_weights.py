"""Video Swin from public weights: inflated 2D networks, and the key layouts of video checkpoints.

Run alone: python -m pytest tests/models/test_video_swin_weights.py
"""

import pytest
import torch

import miga.training.torchvision_schemas  # noqa: F401, must come before timm
from miga.errors import InputError
from miga.training.weights import load_tensors
from models.video_swin.model import VideoSwin
from models.video_swin.weights import TABLE, inflate, to_video_swin

WINDOW = (2, 7, 7)


@pytest.fixture(scope="module")
def flat():
    """timm's 2D Swin, small, with random weights, biases and tables that matter."""
    from timm.models.swin_transformer import SwinTransformer

    torch.manual_seed(0)
    # 56 pixels are 14 x 14 tokens, then 7 x 7: timm makes the window (and its table) smaller where the input is.
    model = SwinTransformer(
        img_size=56, num_classes=5, embed_dim=16, depths=(2, 2), num_heads=(2, 4), window_size=7, drop_path_rate=0.0
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return model.eval()


def video_network() -> VideoSwin:
    return VideoSwin(5, embed_dim=16, depths=(2, 2), num_heads=(2, 4), window=WINDOW).eval()


def started_from(tensors) -> VideoSwin:
    model = video_network()
    report = load_tensors(model, to_video_swin(tensors, WINDOW), "test")
    assert not report.missing and not report.unexpected and not report.reshaped
    return model


@torch.no_grad()
def test_an_inflated_network_sees_a_still_video_as_the_2d_network_its_picture(flat):
    """Exact where every patch has both its frames (an even number) and every window its tokens in time.

    In a patch, the kernel spread over two equal frames sums to the 2D kernel. In a window each key comes once per
    token in time, always with the same bias, so the softmax is shared evenly among equal keys. A window that is filled
    up with zeros in time has keys that the picture has not; so has a patch with a missing frame.
    """
    model, pictures = started_from(flat.state_dict()), torch.randn(2, 3, 56, 56)
    expected = flat(pictures)
    for frames in (2, 4, 8):  # 1, 2 and 4 tokens in time: a clipped window, one full window, shifted windows
        still = pictures[:, :, None].expand(-1, -1, frames, -1, -1)
        torch.testing.assert_close(model(still), expected, rtol=1e-4, atol=1e-4)
    for frames in (5, 6):  # an incomplete patch; an incomplete window
        still = pictures[:, :, None].expand(-1, -1, frames, -1, -1)
        assert (model(still) - expected).abs().max() > 1e-2


@torch.no_grad()
def test_every_public_layout_gives_the_same_network(flat):
    ours = started_from(flat.state_dict())
    clip = torch.randn(1, 3, 4, 56, 56)
    expected = ours(clip)

    # microsoft/Swin-Transformer: the merging ends a stage, the classifier is `head`, buffers are in the file.
    original = {
        key.replace("layers.1.downsample", "layers.0.downsample").replace("head.fc.", "head."): tensor
        for key, tensor in flat.state_dict().items()
    }
    original |= {"layers.0.blocks.1.attn_mask": torch.zeros(4, 49, 49)}
    original |= {"layers.0.blocks.1.attn.relative_position_index": torch.zeros(49, 49)}
    torch.testing.assert_close(started_from(original)(clip), expected)

    # SwinTransformer/Video-Swin-Transformer: already in three dimensions, with our prefixes.
    video = ours.state_dict() | {"backbone.layers.0.blocks.0.attn.relative_position_index": torch.zeros(98, 98)}
    torch.testing.assert_close(started_from(video)(clip), expected)

    mmaction2 = {key.replace("backbone.norm.", "backbone.norm3."): tensor for key, tensor in video.items()}
    assert "backbone.norm3.weight" in mmaction2
    torch.testing.assert_close(started_from(mmaction2)(clip), expected)


def test_tables_of_another_window_are_resized(flat):
    window = (3, 5, 5)
    tensors = {key: torch.ones_like(t) if key.endswith(TABLE) else t for key, t in flat.state_dict().items()}
    tables = {k: t for k, t in to_video_swin(tensors, window).items() if k.endswith(TABLE)}
    assert len(tables) == 4
    for table in tables.values():
        assert table.shape[0] == 5 * 9 * 9
        torch.testing.assert_close(table, torch.ones_like(table))  # bicubic weights sum to one

    # A table that rises along height only still does, for every offset in time and width.
    rising = torch.arange(13.0)[:, None].expand(13, 13).reshape(169, 1)
    key = "backbone.layers.0.blocks.0.attn." + TABLE
    patch = torch.zeros(4, 3, 4, 4)
    resized = inflate({key: rising, "backbone.patch_embed.proj.weight": patch}, window)[key].view(5, 9, 9)
    assert (resized[:, 1:] > resized[:, :-1]).all()
    torch.testing.assert_close(resized, resized[:1, :, :1].expand(5, 9, 9))


def test_other_networks_are_refused():
    with pytest.raises(InputError, match=r"resnet: only .* of the model's parameters"):
        load_tensors(video_network(), to_video_swin({"conv1.weight": torch.zeros(3)}, WINDOW), "resnet")
