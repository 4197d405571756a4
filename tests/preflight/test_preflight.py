"""What is looked at before the first training: python -m pytest -n 0 tests/preflight"""

import shutil
from collections import namedtuple
from pathlib import Path

import pytest
import torch

from miga.engine.options import Options, remember
from miga.errors import InputError
from miga.paths import check_txt, rehearsal_txt
from pipeline import PICTURE_SIZE
from preflight.check import bytes_needed
from preflight.check import main as check
from preflight.rehearsal import main as rehearse
from recordings import rgb_build
from recordings.rgb_store import build_rgb_store
from tests.tiny import tiny_clips, write_clips
from tests.tiny_rgb import filmed

ENTRIES = ("gecn", "rgbpose", "image_level")


@pytest.fixture
def folders(monkeypatch, workdir):
    """A run of few entries on filmed clips; their pictures are stored."""
    for name in ENTRIES:
        Path("models", name).mkdir(parents=True)
    monkeypatch.setattr(rgb_build, "NUM_PROCESSES", 1)
    write_clips(filmed(tiny_clips(12, 2), workdir / "videos"), "tiny")
    build_rgb_store("tiny", PICTURE_SIZE["smoke"])


def run_with(*settings: str, **options) -> None:
    remember(Options("tiny", "smoke", num_folds=2, track1="x", settings=settings, **options))


def test_what_is_right_is_listed(folders, capsys):
    run_with("gecn.epochs=3")
    check(["--run", "tiny"])
    listed = check_txt("tiny").read_text()
    for name in ("settings", "pictures", "disk", "device"):
        assert name in listed
    assert listed in capsys.readouterr().out


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("gcn.epochs=3", "--set gcn.epochs=3: no such folder; expected one of gecn"),
        ("gecn.epoch=3", "--epoch: no such setting"),
        ("gecn.epochs=0", "--epochs 0: expected 1 or more"),
        ("rgbpose.weights_rgb=nowhere.pth", r"nowhere\.pth"),
        ("spotting.detector.windw=3", "windw"),
    ],
)
def test_a_setting_that_cannot_be_is_told_before_anything_is_trained(folders, setting, message):
    run_with(setting)
    with pytest.raises(InputError, match=message):
        check(["--run", "tiny"])
    assert not check_txt("tiny").exists()


def test_everything_that_is_wrong_is_told_at_once(folders):
    Path("damaged.pth").write_bytes(b"no weights")
    Path("sample.csv").write_text("Id,Target\nnobody,0\n")
    run_with("gecn.weights=damaged.pth", sample="sample.csv")
    with pytest.raises(InputError, match=r"(?s)2 things are wrong.*gecn: damaged\.pth.*sample file: .*nobody"):
        check(["--run", "tiny"])


def test_too_small_a_disk_is_told(folders, monkeypatch):
    run_with()
    usage = namedtuple("usage", "total used free")(10, 5, 5)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(InputError, match=r"disk: the run will write about .* GB and 0\.0 GB are free"):
        check(["--run", "tiny"])


def test_more_folds_and_frames_need_more_room():
    clips = {"track1": tiny_clips()}
    few, many = (bytes_needed(Options("r", "paper", num_folds=k, track1="x"), clips) for k in (2, 8))
    assert 0 < few < many


def test_every_entry_is_trained_for_a_step(folders):
    run_with()
    rehearse(["--run", "tiny"])
    listed = rehearsal_txt("tiny").read_text()
    assert [line.split()[0] for line in listed.splitlines()] == ["gecn", "rgbpose_limb", "image_level"]
    assert listed.splitlines()[1].count(" + ") == 2  # two stages and the whole


def test_a_file_of_another_network_is_told_in_the_rehearsal(folders):
    torch.save({"state_dict": {"somewhere.weight": torch.zeros(3)}}, "other.pth")
    run_with("rgbpose.weights_pose=other.pth")
    check(["--run", "tiny"])  # it can be read
    with pytest.raises(InputError, match=r"rgbpose_limb: other\.pth: only .*takes a PoseC3D"):
        rehearse(["--run", "tiny"])
    assert not rehearsal_txt("tiny").exists()
