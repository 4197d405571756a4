"""The simulated recordings: layout, labels, people, repeatability.

Run alone: python -m pytest tests/recordings/test_demo.py
"""

import csv
import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from miga.errors import InputError
from miga.ids import clip_id_of
from recordings import demo
from recordings.labels import IMIGUE_CLASSES, IMIGUE_CODES, SMG_CODES
from recordings.simulation import files
from recordings.simulation.plan import SMOKE, plan

SEED = 5


@pytest.fixture(scope="module")
def recordings():
    return plan(SMOKE, SEED)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("demo") / "smoke"
    assert demo.make_demo(root, "smoke", SEED, workers=1)
    return root


def rows_of(path: Path) -> list[list[str]]:
    with open(path, newline="") as file:
        return list(csv.reader(file))


def bytes_of(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def num_video_frames(path: Path) -> tuple[int, int, int, Fraction]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        count = sum(1 for _ in container.decode(stream))
        return count, stream.width, stream.height, stream.average_rate


# --- what lies on disk


def test_folders_hold_exactly_the_files_of_the_two_layouts(made, recordings):
    expected = {"demo.json", "imigue/subjects.csv", "answers/track1.csv", "sample_submission_track1.csv"}
    for r in recordings:
        name = r.video_id
        if r.track == 1:
            folder = f"imigue/imigue_skeleton_{r.split}/{name}"
            expected |= {f"{folder}/{name}_light_hand.csv", f"{folder}/{name}_label.csv"}
            expected |= {f"imigue/imigue_rgb_{r.split}/{name}/{name}.mp4"}
        else:
            folder = f"smg/smg_skeleton_{r.split}/{name}"
            labels = f"answers/smg/{name}" if r.split == "test" else folder
            expected |= {
                f"{folder}/{name}_skeleton.csv",
                f"{folder}/{name}_data.csv",
                f"{labels}/{name}_finelabels.csv",
            }
            expected |= {f"smg/smg_rgb_{r.split}/{name}/{name}_color.mp4"}
    assert {str(p.relative_to(made)) for p in made.rglob("*") if p.is_file()} == expected


def test_skeleton_rows_have_the_layouts_columns_and_ranges(made, recordings):
    for r in recordings:
        values = np.loadtxt(files.skeleton_path(made, r), delimiter=",", ndmin=2)
        assert len(values) == r.num_frames
        if r.track == 2:
            assert values.shape[1] == 25 * 11
            assert np.isfinite(values).all()
            continue
        assert values.shape[1] == 1 + 35 * 3
        assert (values[:, 0] == np.arange(r.num_frames)).all()
        points = values[:, 1:].reshape(-1, 35, 3)
        missing = points[..., 2] == 0
        assert (points[missing] == 0).all()
        assert (points[~missing][:, :2] > 0).all()
        assert (points[..., 0] <= 1279).all() and (points[..., 1] <= 719).all() and (points[..., 2] <= 1).all()
        assert missing[:, 25:].any() and not missing.all()


def test_fingers_follow_the_viewers_sides(made, recordings):
    """Points 25-29 belong to the wrist at the right of the picture, point 7; 30-34 to point 4."""
    r = next(r for r in recordings if r.track == 1)
    points = np.loadtxt(files.skeleton_path(made, r), delimiter=",")[:, 1:].reshape(-1, 35, 3)
    for wrist, other, fingers in ((7, 4, slice(25, 30)), (4, 7, slice(30, 35))):
        seen = (points[:, [4, 7]][..., 2] > 0).all(-1) & (points[:, fingers, 2] > 0).all(-1)
        middle = points[seen, fingers, :2].mean(axis=1)
        own = np.linalg.norm(middle - points[seen, wrist, :2], axis=-1)
        assert np.median(own) < np.median(np.linalg.norm(middle - points[seen, other, :2], axis=-1))


def test_videos_have_a_frame_for_every_skeleton_row(made, recordings):
    for r in (recordings[0], recordings[-1]):
        found = num_video_frames(files.video_path(made, r))
        assert found == (r.num_frames, 224, 126, Fraction(int(r.fps)))


def test_labels_lie_inside_their_recording(made, recordings):
    for r in recordings:
        if r.track == 1:
            rows = rows_of(files.skeleton_path(made, r).parent / f"{r.video_id}_label.csv")
            first, last, codes = 0, r.num_frames - 1, {0} if r.split == "test" else set(IMIGUE_CODES)
        else:
            root = made / "answers" / "smg" if r.split == "test" else made / "smg" / "smg_skeleton_train"
            rows = rows_of(root / r.video_id / f"{r.video_id}_finelabels.csv")
            first, last, codes = 1, r.num_frames, set(SMG_CODES)
        assert len(rows) == len(r.gestures) > 0
        for code, start, end in (map(int, row) for row in rows):
            assert code in codes
            assert first <= start < end <= last


def test_answers_and_sample_have_a_row_for_every_test_clip(made, recordings):
    tests = [r for r in recordings if r.track == 1 and r.split == "test"]
    expected = [[clip_id_of(r.video_id, i), str(g.label)] for r in tests for i, g in enumerate(r.gestures)]
    answers = rows_of(made / "answers" / "track1.csv")
    assert answers == [["Id", "Target"], *expected]
    assert all(0 <= int(label) < len(IMIGUE_CLASSES) for _, label in answers[1:])
    sample = rows_of(made / "sample_submission_track1.csv")
    assert [row[0] for row in sample] == [row[0] for row in answers]
    assert {row[1] for row in sample[1:]} == {"0"}


def test_subjects_table_names_every_video_and_keeps_people_apart(made, recordings):
    table = dict(rows_of(made / "imigue" / "subjects.csv")[1:])
    folder2videos = {
        split: {p.name for p in (made / "imigue" / f"imigue_skeleton_{split}").glob("*")}
        for split in ("train", "validate", "test")
    }
    assert set(table) == set().union(*folder2videos.values())
    people = {split: {table[v] for v in videos} for split, videos in folder2videos.items()}
    assert not people["test"] & (people["train"] | people["validate"])
    assert people["validate"] <= people["train"]


# --- the same seed gives the same bytes; nothing is lost when killed


def test_same_seed_same_bytes_another_seed_others(made, recordings, tmp_path):
    for r in (min((r for r in recordings if r.track == t), key=lambda r: r.num_frames) for t in (1, 2)):
        demo.make_recording(tmp_path / "again", r)
    again, first = bytes_of(tmp_path / "again"), bytes_of(made)
    assert len(again) >= 6
    assert all(first[name] == content for name, content in again.items())
    assert plan(SMOKE, SEED + 1)[0].gestures != recordings[0].gestures


def test_killed_run_resumes_to_the_same_bytes_and_a_finished_one_rests(made, recordings, capsys):
    before = bytes_of(made)
    assert not demo.make_demo(made, "smoke", SEED, workers=1)
    shortest = min(recordings, key=lambda r: r.num_frames)
    files.video_path(made, shortest).unlink()
    (made / "demo.json").rename(made / "making.json")
    stale = files.video_path(made, shortest).parent / ".half.1.tmp.mp4"
    stale.write_bytes(b"half a video")
    assert demo.make_demo(made, "smoke", SEED, workers=1)
    assert bytes_of(made) == before


def test_folder_of_another_seed_or_of_someone_else_is_refused(made, tmp_path):
    with pytest.raises(InputError, match=r"demo\.json.*'seed': 5.*--overwrite"):
        demo.make_demo(made, "smoke", SEED + 1, workers=1)
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="expected an empty or new folder"):
        demo.make_demo(tmp_path, "smoke", SEED, workers=1)
    demo.clear(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_marker_counts_what_was_made(made):
    content = json.loads((made / "demo.json").read_text())
    assert (content["seed"], content["profile"]) == (SEED, "smoke")
    assert content["counts"]["track1_train"]["clips"] == sum(SMOKE.train_counts.values())
