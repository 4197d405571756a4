"""A video, with and without joints: python -m pytest tests/predict/test_pictures.py"""

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from ensemble.entries import entry_of
from ensemble.mixture import Blend, softmax
from miga.errors import InputError
from miga.skeletons import IMIGUE_22
from miga.training.checkpoint import save_checkpoint
from miga.training.config import without_start
from miga.training.seeding import seed_torch
from oof.prior import class_prior
from predict.__main__ import main
from predict.classify import classify, fold_log_probs
from predict.clip import Given, read_given
from predict.export import write_export
from predict.render import PANEL, draw_skeleton, render, shown_size
from predict.shipped import Member, Shipped
from recordings.rgb_store import build_rgb_store
from spotting.segments import empty_segments, make_segments
from tests.recordings.test_upright import write_turned
from tests.tiny import tiny_clips, write_clips
from tests.tiny_rgb import filmed


def untrained(name: str, clips, folder: Path, num_folds: int = 2) -> Member:
    """An entry whose folds have first weights alone, of which the classifier says something."""
    entry = entry_of(name)
    config = without_start(entry.profiles["smoke"])
    paths = []
    for fold in range(num_folds):
        seed_torch(fold)
        network = entry.assemble(clips, config).network
        torch.nn.init.normal_(list(network.parameters())[-2])
        paths.append(folder / name / f"fold{fold}.pt")
        paths[-1].parent.mkdir(parents=True, exist_ok=True)
        save_checkpoint(paths[-1], {"model": network.state_dict()})
    return Member(name, config, clips.classes, clips.mirror, tuple(paths))


@pytest.fixture
def filmed_run(workdir):
    """Clips with a video each, their store of pictures, and a blend of one entry on pictures and one on joints."""
    clips = filmed(tiny_clips(num_train=4, num_test=1), workdir / "films")
    write_clips(clips, "tiny")
    size = entry_of("rgb_slowonly").profiles["smoke"].picture_size
    build_rgb_store("tiny", size)
    clips = replace(clips, run="tiny")
    members = (untrained("rgb_slowonly", clips, workdir), untrained("gecn", clips, workdir))
    blend = Blend(np.array([0.25, 0.75]), np.ones(2))
    prior = class_prior(clips.table.label.to_numpy()[clips.table.split == "train"], clips.num_classes)
    return clips, Shipped(
        "tiny", members, (), blend, prior, clips.classes, clips.mirror, IMIGUE_22, 1, (720, 1280), 25.0, False
    )  # fmt: skip


def test_pictures_and_joints_give_what_the_store_of_a_run_gives(filmed_run):
    clips, shipped = filmed_run
    row = next(row for row in range(len(clips)) if clips.table.split[row] == "test")
    probs = [softmax(fold_log_probs(member, clips)[:, row]).mean(0) for member in shipped.members]
    video = Path(clips.table.frames_path[row])
    joints = np.array(clips.joints_of(row))
    both = Given(joints, video, (720, 1280), 25.0)
    np.testing.assert_allclose(classify(shipped, both), 0.25 * probs[0] + 0.75 * probs[1], atol=1e-5)
    alone = Given(joints, None, (720, 1280), 25.0)
    np.testing.assert_allclose(classify(shipped, alone), probs[1], atol=1e-5)
    assert np.abs(probs[0] - probs[1]).max() > 0.01


def test_a_video_alone_is_looked_at_by_entries_on_pictures_alone(filmed_run, capsys):
    clips, shipped = filmed_run
    path = clips.table.frames_path[4]
    write_export(Path("model"), shipped)
    main(["--model", "model", path, "--render", "out.mp4"])
    output = capsys.readouterr().out
    assert "pictures alone; gecn cannot look" in output and "no pose estimator is here" in output
    assert "rgb_slowonly: 2 networks" in output
    given = read_given(Path(path), None, IMIGUE_22, None, (720, 1280), 25.0)
    assert given.size == (90, 160) and given.inputs == {"rgb"}
    assert frames_of(Path("out.mp4")).shape == (given.num_frames, 360 + PANEL, 640, 3)
    dropped = replace(shipped, blend=Blend(np.array([0.0, 1.0]), np.ones(2)))  # as in a submission: they share evenly
    np.testing.assert_allclose(classify(dropped, given), classify(shipped, given))


def test_a_video_that_breaks_off_is_one_sentence(filmed_run):
    clips, shipped = filmed_run
    path = Path(clips.table.frames_path[4])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match=path.name):
        classify(shipped, read_given(path, None, IMIGUE_22, None, (720, 1280), 25.0))


def frames_of(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def test_a_drawing_shows_person_gesture_and_time(workdir):
    joints = np.zeros((10, 1, 22, 3), np.float32)
    joints[:, 0, :2] = [[320, 100, 1], [320, 300, 1]]
    given = Given(joints, None, (360, 640), 25.0)
    found = make_segments([2, 6], [5, 10], [0, 1], [0.9, 0.8])
    render(Path("out.mp4"), given, IMIGUE_22, found, ("first", "zweites \u00fc"))
    frames = frames_of(Path("out.mp4")).astype(int)
    assert frames.shape == (10, 360 + PANEL, 640, 3)
    assert frames[0, 200, 320].max() > 150 and frames[0, 200, 100].max() < 40  # the limb from nose to neck
    line = 360 + PANEL - 20
    bright = (frames[:, line].min(-1) > 200).argmax(1)  # where the white mark is
    assert (np.diff(bright) > 0).all()
    quiet, named = frames[0, 362:390].max(), frames[3, 362:390].max()
    assert quiet < 60 < named  # a name is there only while the gesture lasts
    colours = frames[0, line, [200, 350, 500]]  # in the first, between, in the second
    assert np.ptp(colours[1]) < 30 < min(np.ptp(colours[0]), np.ptp(colours[2]))


def test_odd_sizes_far_joints_and_nothing_found(workdir):
    assert shown_size((91, 161)) == (362, 640) and shown_size((3840, 2160)) == (1280, 720)
    assert shown_size((480, 640)) == (480, 640) and shown_size((2, 4000)) == (2, 1280)
    joints = np.full((1, 2, 22, 3), 1e9, np.float32)
    draw_skeleton(np.zeros((20, 20, 3), np.uint8), joints[0], IMIGUE_22, (20, 20))
    render(Path("one.mp4"), Given(joints, None, (91, 161), 0.0), IMIGUE_22, empty_segments(), ())
    assert len(frames_of(Path("one.mp4"))) == 1
    with pytest.raises(InputError, match="expected a name that ends"):
        render(Path("out.gif"), Given(joints, None, (91, 161), 0.0), IMIGUE_22, empty_segments(), ())


def test_a_phone_video_is_drawn_upright(workdir):
    """Stored on its side with a bright upper left quarter; a player shows it turned by a quarter."""
    path = write_turned(workdir / "phone.mp4", 90)
    given = read_given(path, None, IMIGUE_22, None, (720, 1280), 25.0)
    assert given.size == (96, 48)
    render(Path("out.mp4"), given, IMIGUE_22, empty_segments(), ())
    frame = frames_of(Path("out.mp4"))[2]
    assert frame.shape == (640 + PANEL, 320, 3)
    assert frame[480, 80].min() > 200 and frame[160, 80].max() < 50 and frame[480, 240].max() < 50
