"""The simulated recordings: layout, labels, people, repeatability, anatomy.

Run alone: python -m pytest tests/datasets/test_demo.py
"""

import csv
import json
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets import demo
from datasets.errors import InputError
from datasets.ids import clip_id_of
from datasets.labels import IMIGUE_CLASSES, IMIGUE_CODES, SMG_CODES
from datasets.simulation import files
from datasets.simulation.act import Act
from datasets.simulation.body import rotation, two_links
from datasets.simulation.gestures import IMIGUE_PROGRAMS, SMG_PROGRAMS, touch_ear, touch_face, touch_jaw
from datasets.simulation.motion import envelope, idle_stage
from datasets.simulation.people import make_person
from datasets.simulation.plan import DEMO, SMOKE, TRACK1_TEMPO, deal, lay_out, plan, split_evenly
from datasets.simulation.pose import solve

SEED = 5
unhurried = settings(max_examples=60, deadline=None)


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


# --- the plan


@pytest.mark.parametrize("profile", [DEMO, SMOKE], ids=lambda p: p.name)
def test_plan_has_the_promised_clips_and_people(profile):
    for seed in (0, 1):
        track1 = [r for r in plan(profile, seed) if r.track == 1]
        for splits, counts in ((("train", "validate"), profile.train_counts), (("test",), profile.test_counts)):
            owners = defaultdict(list)
            for r in track1:
                for gesture in r.gestures if r.split in splits else ():
                    owners[gesture.label].append(r.person.person_id)
            assert {label: len(people) for label, people in owners.items()} == counts
            assert all(len(set(people)) >= min(2, len(people)) for people in owners.values())
        track2 = [r for r in plan(profile, seed) if r.track == 2]
        assert len({r.person.person_id for r in track2}) == len(track2)
        assert {g.label for r in track2 if r.split == "train" for g in r.gestures} == set(profile.smg_shares)


def test_demo_profile_has_the_shape_of_the_real_counts():
    counts = DEMO.train_counts
    assert set(counts) == set(IMIGUE_PROGRAMS) == set(DEMO.test_counts) and len(counts) == 16
    assert 0.27 < counts[31] / sum(counts.values()) < 0.33
    assert sorted(counts.values())[:3] == [2, 3, 3]
    assert set(DEMO.smg_shares) == set(SMG_PROGRAMS)


@unhurried
@given(
    counts=st.dictionaries(st.integers(0, 31), st.integers(1, 30), min_size=1),
    num_people=st.integers(1, 8),
    seed=st.integers(0, 99),
)
def test_deal_keeps_every_clip(counts, num_people, seed):
    if sum(counts.values()) < 2 * num_people:
        return
    dealt = deal(counts, num_people, np.random.default_rng(seed))
    assert sorted(x for labels in dealt for x in labels) == sorted(k for k, n in counts.items() for _ in range(n))
    assert all(dealt)


@unhurried
@given(num_labels=st.integers(1, 40), num_parts=st.integers(1, 6), seed=st.integers(0, 99))
def test_split_evenly_loses_nothing_and_leaves_no_video_empty(num_labels, num_parts, seed):
    parts = split_evenly(list(range(num_labels)), num_parts, np.random.default_rng(seed))
    assert [x for part in parts for x in part] == list(range(num_labels))
    assert all(parts) and len(parts) == min(num_parts, num_labels)


@unhurried
@given(labels=st.lists(st.sampled_from(sorted(IMIGUE_PROGRAMS)), min_size=1, max_size=12), seed=st.integers(0, 99))
def test_labels_and_motions_lie_inside_the_recording(labels, seed):
    rng = np.random.default_rng(seed)
    gestures, distractors, num_frames = lay_out(labels, TRACK1_TEMPO, 1.0, make_person("1", False, rng), rng)
    assert [g.label for g in gestures] == labels
    for g in gestures:
        assert 0 <= g.start < g.end <= num_frames
        assert g.label_start >= 0 and g.label_end <= num_frames
        assert 0.6 * 25 <= g.label_end - g.label_start <= 4.5 * 25
    assert all(0 <= start < end <= num_frames for start, end in distractors)


# --- the body


vectors = st.tuples(*[st.floats(-0.6, 0.6)] * 3)


@unhurried
@given(goal=vectors, pole=vectors, first=st.floats(0.2, 0.4), second=st.floats(0.2, 0.4))
def test_two_links_keep_bone_lengths_and_reach_what_is_in_reach(goal, pole, first, second):
    goal, pole, root = np.array([goal]), np.array([pole]), np.zeros((1, 3))
    distance = np.linalg.norm(goal)
    if distance < 1e-3 or np.linalg.norm(np.cross(goal, pole)) < 1e-3:
        return
    middle, end = two_links(root, goal, first, second, pole)
    assert np.linalg.norm(middle - root) == pytest.approx(first, abs=1e-6)
    assert np.linalg.norm(end - middle) == pytest.approx(second, abs=1e-6)
    if abs(first - second) * 1.02 + 0.02 < distance < 0.99 * (first + second):
        assert end == pytest.approx(goal, abs=1e-6)


@unhurried
@given(st.lists(st.tuples(*[st.floats(-3, 3)] * 3), min_size=1, max_size=4))
def test_rotations_are_rotations(angles):
    turned = rotation(np.array(angles))
    assert turned @ turned.transpose(0, 2, 1) == pytest.approx(np.broadcast_to(np.eye(3), turned.shape), abs=1e-9)
    assert np.linalg.det(turned) == pytest.approx(np.ones(len(turned)))


def test_positive_angles_turn_right_nod_down_and_tip_right():
    yaw, pitch, roll = rotation(np.diag([0.3, 0.3, 0.3]))
    assert (yaw @ [0, 0, 1])[0] > 0.2
    assert (pitch @ [0, 0, 1])[1] < -0.2
    assert (roll @ [0, 1, 0])[0] > 0.2


@unhurried
@given(num_frames=st.integers(1, 120), rise=st.floats(0, 40), fall=st.floats(0, 40))
def test_envelope_starts_and_ends_at_zero(num_frames, rise, fall):
    weight = envelope(num_frames, rise, fall)
    assert weight.shape == (num_frames,)
    assert weight[0] == weight[-1] == 0
    assert (weight >= 0).all() and (weight <= 1).all()


def act_out(program, seed: int, standing: bool = False, num_frames: int = 80):
    rng = np.random.default_rng(seed)
    stage = idle_stage(make_person("1", standing, rng), 120, 25.0, rng)
    program(Act(stage, rng, 20, num_frames))
    return stage, solve(stage)


@pytest.mark.parametrize(
    ("program", "spots"),
    [
        (touch_face, ("nose", "mouth", "eye_left", "eye_right")),
        (touch_jaw, ("chin",)),
        (touch_ear, ("ear_left", "ear_right")),
    ],
    ids=["face", "jaw", "ear"],
)
def test_a_touching_finger_is_at_its_target(program, spots):
    for seed in range(8):
        stage, pose = act_out(program, seed)
        (reach,) = [r for r in stage.reaches if r.touch and r.weight.max() > 0.9]
        t = reach.start + int(np.argmax(reach.weight))
        tip, wrist = pose.tips[t, reach.side, 2], pose.wrists[t, reach.side]
        gaps = [np.linalg.norm(tip - pose.face[spot][t]) for spot in spots]
        assert min(gaps) < 0.08, f"seed {seed}: finger {min(gaps):.3f} m from {spots}"
        assert np.linalg.norm(wrist - pose.frames.head[t]) < 0.35
        at_rest = pose.wrists[2, reach.side]
        assert np.linalg.norm(at_rest - pose.frames.head[2]) > 0.4


@settings(max_examples=30, deadline=None)
@given(label=st.sampled_from(sorted(IMIGUE_PROGRAMS)), seed=st.integers(0, 50), num_frames=st.integers(15, 80))
def test_every_program_keeps_bones_rigid_and_motion_human(label, seed, num_frames):
    stage, pose = act_out(IMIGUE_PROGRAMS[label], seed, num_frames=num_frames)
    build = stage.person.build
    upper = np.linalg.norm(pose.elbows - pose.frames.shoulders, axis=-1)
    lower = np.linalg.norm(pose.wrists - pose.elbows, axis=-1)
    assert upper == pytest.approx(np.full_like(upper, build.upper_arm), abs=1e-6)
    assert lower == pytest.approx(np.full_like(lower, build.forearm), abs=1e-6)
    speed = np.linalg.norm(np.diff(pose.wrists, axis=0), axis=-1) * stage.fps
    assert np.isfinite(speed).all() and speed.max() < 8.0  # m/s; fast gestures of people reach about 5


@settings(max_examples=20, deadline=None)
@given(label=st.sampled_from(sorted(SMG_PROGRAMS)), seed=st.integers(0, 50))
def test_every_standing_program_stays_on_its_feet(label, seed):
    _, pose = act_out(SMG_PROGRAMS[label], seed, standing=True)
    lowest = pose.ankles[..., 1].min(axis=1)
    assert np.ptp(lowest) < 0.15
    assert (pose.frames.head[:, 1] > pose.frames.hip[:, 1] + 0.4).all()
