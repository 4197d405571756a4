"""RGB SlowOnly: published sizes, every layout of weights, a still video, and training from clips to logits.

Run alone: python -m pytest -n 0 tests/models/test_rgb_slowonly.py
"""

import numpy as np
import pytest
import torch

import miga.training.torchvision_schemas  # noqa: F401, must come before timm and pytorchvideo

# isort: split
import timm
from pytorchvideo.models.resnet import create_resnet

from folds.make import main as make_folds_main
from miga.errors import InputError
from models.layers.inflate import start_from_pictures
from models.layers.pathway_net import PathwayNet
from models.layers.rgb_backbone import RGBBackbone
from models.rgb_slowonly.model import RGBSlowOnly
from models.rgb_slowonly.train import main
from oof.artifacts import read_oof
from tests.models.formula import fill_by_name, wave
from tests.tiny import tiny_clips, write_clips
from tests.tiny_rgb import filmed

SMALL = {"base_channels": 8, "blocks": (1, 2, 1, 1)}


def small_net(num_classes: int = 4) -> RGBSlowOnly:
    """A filled network in eval mode: fresh ones ignore their blocks, whose last batch norm starts at zero."""
    model = RGBSlowOnly(num_classes, **SMALL).eval()
    fill_by_name(model)
    return model


def test_published_size_and_shape():
    with torch.device("meta"):
        model = RGBSlowOnly(32)
        assert round(sum(p.numel() for p in model.backbone.parameters()) / 1e6, 3) == 31.634
        assert model.backbone(torch.empty(1, 3, 8, 224, 224)).shape == (1, 2048, 8, 7, 7)
        assert model(torch.empty(2, 3, 8, 224, 224)).shape == (2, 32)


def test_it_is_the_stage_rgb_of_the_networks_on_two_pathways():
    model, stage = small_net(), PathwayNet(RGBBackbone(*SMALL.values()), num_classes=4).eval()
    stage.load_state_dict(model.state_dict())
    clip = wave("clip", (2, 3, 5, 32, 32)).float()
    assert torch.equal(model(clip), stage(clip))


@pytest.mark.parametrize("key", ["model_state", "state_dict"])
def test_pytorchvideos_own_network_and_ours_from_its_file_say_the_same(key, tmp_path):
    """Built by its published depth; narrow, so that it is fast."""
    public = create_resnet(
        model_depth=50, stem_dim_out=8, stem_conv_kernel_size=(1, 7, 7), model_num_class=4, dropout_rate=0.0,
        head_pool_kernel_size=(5, 2, 2),
    ).eval()  # fmt: skip
    fill_by_name(public)
    for name, tensor in public.state_dict().items():  # norms are not called bn there: a gain around 1
        if "norm" in name and name.endswith("weight"):
            tensor.copy_(1 + 0.3 * wave(name, tensor.shape))
    torch.save({key: public.state_dict()}, tmp_path / "public.pyth")
    model = RGBSlowOnly(4, base_channels=8).eval()
    report = start_from_pictures(model, str(tmp_path / "public.pyth"))
    assert report.share == 1 and not report.missing and not report.unexpected and not report.reshaped
    clip = wave("clip", (2, 3, 5, 64, 64)).float()
    with torch.no_grad():
        ours, theirs = model(clip), public(clip)
    assert theirs.std() > 1e-3
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_pytorchvideos_own_file_loads_but_for_its_classes(tmp_path):
    theirs = create_resnet(model_depth=50, stem_dim_out=8, stem_conv_kernel_size=(1, 7, 7), model_num_class=400)
    torch.save({"model_state": theirs.state_dict()}, tmp_path / "kinetics.pyth")
    report = start_from_pictures(RGBSlowOnly(32, base_channels=8), str(tmp_path / "kinetics.pyth"))
    assert set(report.reshaped) == {"cls_head.fc_cls.weight", "cls_head.fc_cls.bias"}
    assert not report.missing and not report.unexpected


def test_own_weights_load_as_they_are(tmp_path):
    first, second = small_net(), RGBSlowOnly(4, **SMALL)
    torch.save({"model": first.state_dict(), "fingerprint": {}}, tmp_path / "weights.pt")
    assert start_from_pictures(second, str(tmp_path / "weights.pt")).share == 1
    assert all(torch.equal(second.state_dict()[key], tensor) for key, tensor in first.state_dict().items())


def test_an_inflated_network_sees_a_still_video_as_the_2d_network_sees_the_picture(tmp_path):
    """Zeros beyond the ends reach a frame further in with each of the nine 3x1x1 kernels: the middle of 21 is free."""
    torch.manual_seed(0)
    flat = timm.create_model("resnet50").eval()
    for module in flat.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.3, 0.7)
    torch.save(flat.state_dict(), tmp_path / "flat.pth")
    model = RGBSlowOnly(1000).eval()
    report = start_from_pictures(model, str(tmp_path / "flat.pth"))
    assert set(report.missing) == {"cls_head.fc_cls.weight", "cls_head.fc_cls.bias"}
    assert report.unexpected == ["backbone.fc.weight", "backbone.fc.bias"]
    model.cls_head.fc_cls.load_state_dict(flat.fc.state_dict())
    picture = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        features = model.backbone(picture[:, :, None].expand(-1, -1, 21, -1, -1))  # (1, 2048, 21, 2, 2)
        logits = model.cls_head(features.mean(dim=(3, 4))[..., 10])  # (1, 1000), of the middle frame
        expected = flat(picture)
    assert expected.abs().max() > 0.1
    torch.testing.assert_close(logits, expected, rtol=1e-3, atol=1e-4)
    assert not torch.allclose(features[:, :, 0], features[:, :, 10], rtol=1e-2, atol=1e-2)  # the end feels the zeros


def test_without_a_network_imagenet_weights_end_in_one_sentence(monkeypatch):
    def offline(*args, **kwargs):
        raise ConnectionError("no route")

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(InputError, match=r"resnet50.*could not be downloaded.*--pretrained none"):
        start_from_pictures(RGBSlowOnly(4, **SMALL), "imagenet")


def test_batch_mates_and_memory_format_do_not_change_the_logits():
    model, clips = small_net(), wave("clips", (3, 3, 4, 32, 32)).float()
    with torch.no_grad():
        together = model(clips)
        alone = torch.cat([model(clip[None]) for clip in clips])
        model = model.to(memory_format=torch.channels_last_3d)
        channels_last = model(clips.contiguous(memory_format=torch.channels_last_3d))
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(together, channels_last, rtol=1e-4, atol=1e-5)


def test_eight_clips_can_be_learnt_by_heart():
    torch.manual_seed(0)
    model = RGBSlowOnly(4, base_channels=8, blocks=(1, 1, 1, 1), pool_stride=1, dropout=0.0)
    clips, labels = torch.randn(8, 3, 4, 32, 32), torch.arange(8) % 4
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(25):
        loss = torch.nn.functional.cross_entropy(model(clips), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.1


def test_training_from_videos_to_out_of_fold_logits(workdir):
    """Among the clips are one of one frame and one without any joint."""
    write_clips(filmed(tiny_clips(), workdir / "videos"), "t")
    make_folds_main(["--run", "t", "--num-folds", "2"])
    arguments = ["--run", "t", "--profile", "smoke", "--epochs", "1", "--jobs", "1"]
    main([*arguments, "--flip_views", "true"])
    oof = read_oof(workdir / "oof/t/rgb_slowonly.npz")
    assert oof.logits.shape == (24, 4) and oof.test_logits.shape == (2, 6, 4)
    assert np.isfinite(oof.logits).all() and np.isfinite(oof.test_logits).all()
    with pytest.raises(InputError, match="expected none or imagenet"):
        main([*arguments, "--pretrained", "kinetics"])
