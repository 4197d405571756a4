"""The page docs/add_a_model.md, followed word by word: python -m pytest tests/docs

Its code goes into a copy of the checkout, where a fold is trained and the run lists the new entry.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from oof.artifacts import read_oof
from tests.story.test_run import copy_of_the_checkout
from tests.tiny import tiny_clips, write_clips

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "add_a_model.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)
FILES = {block.splitlines()[0].removeprefix("# "): block for block in BLOCKS if block.startswith("# models/")}
LINE_OF_THE_LIST = next(block for block in BLOCKS if not block.startswith("# models/"))
LINE_BEFORE = '    listed.append(("gecn", "", ()))\n'


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A copy of the checkout with the page's files, its line in pipeline.py, and tiny clips as the run `tiny`."""
    folder = copy_of_the_checkout(tmp_path_factory.mktemp("checkout"))
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    pipeline = (folder / "pipeline.py").read_text(encoding="utf-8")
    assert pipeline.count(LINE_BEFORE) == 1, "the page names a line of pipeline.py that is not there"
    pipeline = pipeline.replace(LINE_BEFORE, LINE_BEFORE + LINE_OF_THE_LIST)
    (folder / "pipeline.py").write_text(pipeline, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_clips(tiny_clips(), "tiny")
    call(folder, "folds.make", "--run", "tiny", "--num-folds", "2")
    return folder


def call(folder: Path, *arguments: str) -> str:
    """What `python -m` with these arguments prints in this folder."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_a_fold_is_trained_then_all(checkout):
    train = ("models.joint_tcn.train", "--run", "tiny", "--profile", "smoke", "--device", "cpu", "--jobs", "1")
    call(checkout, *train, "--fold", "0")
    assert (checkout / "checkpoints/tiny/joint_tcn/fold0/predictions.npz").exists()
    assert not (checkout / "oof/tiny/joint_tcn.npz").exists()
    call(checkout, *train)
    oof = read_oof(checkout / "oof/tiny/joint_tcn.npz")
    assert oof.logits.shape == (24, 4) and oof.test_logits.shape == (2, 6, 4)


def test_the_run_lists_it(checkout):
    listed = call(checkout, "pipeline", "--run", "tiny", "--profile", "smoke", "--track1", "clips", "--list")
    assert re.search(r"^joint_tcn +", listed, re.M)


def test_it_has_less_than_sixty_lines_of_code():
    """Blank lines, comments and docstrings are none."""
    text = re.sub(r'""".*?"""', "", "".join(BLOCKS), flags=re.S)
    code = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert len(code) < 60, len(code)
