"""Two runs side by side: python -m pytest -n 0 tests/report/test_compare.py"""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ensemble.blend import main as blend_main
from miga.errors import InputError
from miga.paths import clips_dir, folds_csv, oof_npz, report_against
from oof.artifacts import read_oof, write_oof
from report.__main__ import main
from report.compare import chance_of_more
from tests.ensemble.planted import prepared_run
from tests.report.runs import spotted_run


def copy_as(run: str) -> None:
    """The run `tiny` under another name."""
    for room in ("clips", "oof", "spotting"):
        if Path(room, "tiny").exists():
            shutil.copytree(Path(room, "tiny"), Path(room, run))
    for track in ("track1", "track2"):
        if folds_csv("tiny", track).exists():
            shutil.copy(folds_csv("tiny", track), folds_csv(run, track))


def test_the_better_run_is_found_and_a_run_is_as_good_as_itself(workdir, capsys):
    prepared_run(2, strength=0.0)
    copy_as("better")
    for name in ("entry0", "entry1"):
        oof = read_oof(oof_npz("better", name))
        oof.logits[:] += 9 * np.eye(4)[oof.label]
        write_oof(oof_npz("better", name), oof)
    for run in ("tiny", "better"):
        blend_main(["--run", run, "--trials", "5"])
    capsys.readouterr()
    main(["--compare", "tiny", "better"])
    text = capsys.readouterr().out
    assert text == report_against("better", "tiny").read_text()
    rows = {line[2:46].strip(): line[46:].split() for line in text.splitlines() if "top-1" in line}
    assert rows["blend as shipped, top-1"][1] == "1.000" and float(rows["blend as shipped, top-1"][3]) > 0.9
    assert {"entry0, top-1", "entry1, top-1"} < rows.keys()
    main(["--compare", "tiny", "tiny"])
    assert "+0.000   the same" in capsys.readouterr().out


def test_other_clips_labels_or_people_are_refused(workdir):
    prepared_run(1)
    for run in ("fewer", "people"):
        copy_as(run)
    table = pd.read_csv(clips_dir("fewer", "track1") / "clips.csv", dtype=str, keep_default_na=False)
    folds = pd.read_csv(folds_csv("fewer"), dtype=str, keep_default_na=False)
    gone = table.clip_id[table.split == "train"].iloc[0]
    folds[folds.clip_id != gone].to_csv(folds_csv("fewer"), index=False)
    oof = read_oof(oof_npz("fewer", "entry0"))
    keep = oof.clip_id != gone
    from dataclasses import replace

    smaller = {name: getattr(oof, name)[keep] for name in ("clip_id", "fold", "label", "logits")}
    write_oof(oof_npz("fewer", "entry0"), replace(oof, **smaller))
    folds = pd.read_csv(folds_csv("people"), dtype=str, keep_default_na=False)
    folds.assign(subject_id="P" + folds.subject_id + folds.video_id.str[-1]).to_csv(folds_csv("people"), index=False)
    for run in ("tiny", "fewer", "people"):
        blend_main(["--run", run, "--trials", "5"])
    with pytest.raises(InputError, match=rf"their clip ids differ \(24 and 23, e\.g\. '{gone}'\)"):
        main(["--compare", "tiny", "fewer"])
    with pytest.raises(InputError, match="is another person's"):
        main(["--compare", "tiny", "people"])
    with pytest.raises(InputError, match="no track that both runs have finished"):
        main(["--compare", "tiny", "nowhere"])


def test_track2(workdir, capsys):
    spotted_run()
    copy_as("other")
    main(["--compare", "tiny", "other"])
    assert "F1 at IoU 0.3" in capsys.readouterr().out


def test_chance_of_more():
    assert chance_of_more(np.zeros(4)) is None and chance_of_more(np.ones(1)) is None
    assert chance_of_more(np.array([-1.0, 1.0])) == pytest.approx(0.5)
    assert chance_of_more(np.array([0.1, 0.2, 0.3])) > 0.9
