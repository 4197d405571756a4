"""Take the networks of `recordings.pose` out of the mediapipe wheel, which is data here: it is never imported.

    pip install -r requirements-pose.txt && python -m recordings.pose.install [--wheel FILE]

reads:  the wheel, from pip's own source or the file given
writes: weights/files/mediapipe/*.tflite and LICENSE
"""

import argparse
import tempfile
import zipfile
from pathlib import Path

from miga.errors import InputError, run_command
from miga.files import file_sha256, replacing
from miga.paths import pose_models_dir
from miga.pip_download import download_wheel

VERSION = "0.10.21"  # the last whose wheel was seen to hold these files; Apache-2.0
PYTHON, PLATFORM = "311", "manylinux_2_28_x86_64"  # one wheel for all machines: the networks are the same in each
SHA256 = "05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3"
NETWORKS = (
    "pose_detection/pose_detection",
    "pose_landmark/pose_landmark_full",
    "holistic_landmark/hand_recrop",
    "hand_landmark/hand_landmark_full",
    "face_detection/face_detection_short_range",
    "face_landmark/face_landmark",
)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path, help="the wheel, if it has been downloaded already")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        wheel = args.wheel or download(Path(folder))
        extract(wheel, pose_models_dir(), SHA256)
    print(f"{len(NETWORKS)} networks are in {pose_models_dir()}")


def download(folder: Path) -> Path:
    """The wheel, from pip; raises InputError where pip has no source for it."""
    cure = f"download its wheel for {PLATFORM} elsewhere and give it with --wheel FILE"
    return download_wheel(f"mediapipe=={VERSION}", folder, cure, ("--python-version", PYTHON, "--platform", PLATFORM))


def extract(wheel: Path, folder: Path, sha256: str) -> None:
    """Write the networks and the licence into `folder`.

    Raises:
        InputError: the wheel is missing or another one.
    """
    if not wheel.is_file():
        raise InputError(f"{wheel}: no such wheel; check the path")
    got = file_sha256(wheel)
    if got != sha256:
        raise InputError(
            f"{wheel}: its sha256 is {got}, expected {sha256}; take mediapipe {VERSION} for Python 3.11 on {PLATFORM}"
        )
    with zipfile.ZipFile(wheel) as archive:
        members = {f"{Path(name).name}.tflite": f"mediapipe/modules/{name}.tflite" for name in NETWORKS}
        members["LICENSE"] = f"mediapipe-{VERSION}.dist-info/LICENSE"
        for name, member in members.items():
            with replacing(folder / name) as temporary:
                temporary.write_bytes(archive.read(member))


if __name__ == "__main__":
    run_command(main)
