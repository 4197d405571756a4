"""The json file that describes a data set. Alone: python -m pytest -n 0 tests/miga/test_skeleton_file.py"""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miga.errors import InputError
from miga.skeleton_file import fps_of, names_of, read_skeleton_file, skeleton_from_dict

BODY = {
    "joints": ["hip", "l_knee", "r_knee", "l_foot", "r_foot"],
    "skeleton_edges": [[0, 1], [0, 2], [1, 3], [2, 4]],
    "left_joints": [1, 3],
    "right_joints": [2, 4],
}


@pytest.mark.parametrize(
    "change",
    [
        {"skeleton_edges": [["hip", "l_knee"], ["hip", "r_knee"], ["l_knee", "l_foot"], [2, "r_foot"]]},
        {"left_joints": ["l_knee", "l_foot"], "right_joints": ["r_knee", 4.0]},
        {"center_joint": "hip"},
        {"flip_pairs": [[1, 2], ["l_foot", "r_foot"], [2, 1], [4, 3]]},
        {"joints": {"0": "hip", "4": "r_foot", "1": "l_knee", "2": "r_knee", "3": "l_foot"}},
        {"joints": {"r_foot": 4, "hip": 0, "l_knee": 1, "r_knee": 2, "l_foot": 3}},
    ],
)
def test_joints_by_number_or_by_name_are_one_skeleton(change):
    assert skeleton_from_dict(BODY | change, "a.json") == skeleton_from_dict(BODY, "a.json")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"skeleton_edges": [["hip", "elbow"]]}, "skeleton_edges: 0 joints are called 'elbow', expected one"),
        ({"skeleton_edges": [0, 1, 0, 2]}, "skeleton_edges holds 0, expected pairs"),
        ({"skeleton_edges": [[0, 1, 1.0]]}, "skeleton_edges holds [0, 1, 1.0], expected pairs"),
        ({"skeleton_edges": "0-1"}, "skeleton_edges is '0-1', expected a list of pairs"),
        ({"skeleton_edges": [[1, 2], [1, 3], [2, 4], [3, 5]]}, "joint number 5 is not one of the 5 joints"),
        ({"skeleton_edges": [[0, 1.5]]}, "joint number 1.5 is not one of"),
        ({"skeleton_edges": [[0, True]]}, "joint number True is not one of"),
        ({"skeleton_edges": [[0, 1], [0, 2], [1, 3]]}, "do not connect joint 'r_foot' to the center"),
        ({"joints": 5}, "joints is 5, expected a list of names"),
        ({"joints": []}, "joints is [], expected a list of names"),
        ({"joints": [["hip"]]}, "joints holds ['hip'], expected nothing but names"),
        ({"joints": {"1": "hip", "2": "knee"}}, "joints is an object, expected the numbers 0, 1, 2"),
        ({"joints": {"hip": [0]}}, "joints is an object, expected the numbers 0, 1, 2"),
        ({"center_joint": [0]}, "center_joint: joint number [0] is not one of"),
        ({"left_joints": [1, 1]}, "joint 'l_knee' is in two pairs"),
        ({"left_joints": 1}, "left_joints is 1, expected a list of joints"),
        ({"left_joints": [1]}, "left_joints has 1 joints, right_joints 2"),
        ({"flip_pairs": [1, 2]}, "flip_pairs holds 1, expected pairs"),
    ],
)
def test_another_form_is_one_sentence(change, expected):
    with pytest.raises(InputError) as caught:
        skeleton_from_dict(BODY | change, "a.json")
    assert str(caught.value).startswith("a.json: ") and expected in str(caught.value)


def test_classes_are_in_the_order_of_their_numbers():
    assert names_of({"classes": {"1": "no", "0": "yes"}}, "classes", "a") == ("yes", "no")
    assert names_of({"classes": {"no": 1, "yes": 0}}, "classes", "a") == ("yes", "no")
    with pytest.raises(InputError, match="classes is 'yes,no', expected a list of names"):
        names_of({"classes": "yes,no"}, "classes", "a")


def test_frame_rate():
    for content, expected in (({}, 25), ({"fps": 29.97}, 29.97), ({"fps": "30"}, 30)):
        assert fps_of(content, 25.0, "a") == expected
    for wrong in (0, -1, "25 fps", [25], True, float("nan"), float("inf"), 10**400):
        with pytest.raises(InputError, match=r"a: fps is .*, expected a positive number"):
            fps_of({"fps": wrong}, 25.0, "a")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_the_file_in_any_encoding_without_its_nulls(tmp_path, encoding):
    text = json.dumps({"classes": ["grüßen", "nein"], "fps": None, "center_joint": None}, ensure_ascii=False)
    (tmp_path / "a_meta.json").write_bytes(text.encode(encoding))
    assert read_skeleton_file(tmp_path / "a_meta.json") == {"classes": ["grüßen", "nein"]}


@pytest.mark.parametrize("data", [b"", b"[1]", b"{", b"[" * 100_000, "{}".encode("utf-16")[:-1]])
def test_no_json_object_is_one_sentence(tmp_path, data):
    (tmp_path / "a_meta.json").write_bytes(data)
    with pytest.raises(InputError, match=r"a_meta\.json"):
        read_skeleton_file(tmp_path / "a_meta.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(BODY["joints"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["0", "1", "hip"]), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*BODY, "center_joint", "flip_pairs"]), JSON.filter(lambda v: v is not None)))
def test_whatever_is_written_gives_a_skeleton_or_one_sentence(change):
    try:
        skeleton = skeleton_from_dict(BODY | change, "a.json")
    except InputError as error:
        assert str(error).startswith("a.json: ")
    else:
        assert sorted(skeleton.flip_index) == list(range(skeleton.num_joints))
