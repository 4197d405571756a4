"""The gestures of a long recording: python -m pytest tests/predict/test_spot.py"""

from pathlib import Path

import numpy as np
import pytest

from folds.make import main as make_folds
from miga.clips import load_clips
from miga.errors import InputError
from predict.__main__ import main
from predict.spot import load_spotter, read_recording, spot
from spotting.candidates import read_members
from spotting.propose import main as propose
from spotting.thresholds import apply
from spotting.train import main as train
from tests.spotting.test_live import SETTINGS
from tests.spotting.test_train import TINY
from tests.spotting.tiny_videos import write_tiny_videos


def test_finds_what_the_detectors_find_in_a_prepared_recording(workdir, capsys):
    write_tiny_videos()
    make_folds(["--run", "tiny", "--track", "track2", "--num-folds", "2"])
    train(["--run", "tiny", "--profile", "smoke", "--jobs", "1", "--device", "cpu", *TINY, *SETTINGS])
    propose(["--run", "tiny", "--device", "cpu", "--search.min_threshold=0.01", "--search.max_threshold=0.05"])
    clips = load_clips("tiny", "track2")
    np.save("long.npy", clips.joints_of_video("0101"))
    given = read_recording("tiny", None, Path("long.npy"), None)
    assert given.size == (480, 640) and given.fps == 25
    found, _ = spot("tiny", given)
    _, spotter = load_spotter("tiny", given.size)
    stream = spotter.segments
    (member,) = read_members("tiny", ["joint"])
    expected = apply(member.test()["0101"], stream.threshold, stream.nms_iou, 10**6)
    expected = expected[expected.start.argsort(kind="stable")]
    assert len(found) == len(expected)
    np.testing.assert_allclose(np.sort(found.score), np.sort(expected.score), atol=1e-4)
    np.testing.assert_allclose(found.start, expected.start, atol=0.05)

    capsys.readouterr()
    main(["--run", "tiny", "long.npy", "--spot", "--render", "out.mp4"])
    output = capsys.readouterr().out
    assert f"150 frames at 25 a second, {len(found)} gestures" in output and Path("out.mp4").exists()
    np.save("nobody.npy", clips.joints_of_video("0102"))
    main(["--run", "tiny", "nobody.npy", "--spot"])
    output = capsys.readouterr().out
    assert "nobody is in view" in output and " 0 gestures" in output
    np.save("one.npy", clips.joints_of_video("0101")[:1])
    main(["--run", "tiny", "one.npy", "--spot"])
    assert "1 frames" in capsys.readouterr().out
    with pytest.raises(InputError, match="no prepared recordings"):
        main(["--run", "nothing", "long.npy", "--spot"])
