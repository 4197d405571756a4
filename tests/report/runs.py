"""Runs for the tests of the page, made of the tiny clips below the current directory."""

import numpy as np

from ensemble.blend import main as blend_main
from ensemble.forecast import main as forecast_main
from folds.make import main as make_folds_main
from miga.files import write_json
from miga.paths import fold_checkpoint_dir, spotting_candidates_npz, spotting_json
from tests.ensemble.planted import prepared_run
from tests.spotting.tiny_videos import write_tiny_videos


def blended_run(num_entries: int = 4, strength: float = 1.0) -> None:
    """Track 1 with skeletons alone, as far as the forecast, and a log of a training that goes on."""
    prepared_run(num_entries, num_folds=3, strength=strength)
    blend_main(["--run", "tiny", "--trials", "5"])
    forecast_main(["--run", "tiny"])
    log = fold_checkpoint_dir("tiny", "entry0", 0) / "log.csv"
    log.parent.mkdir(parents=True)
    log.write_text("epoch,loss,train_top1\n1,2.5,0.1\n2,1.5,0.4\n3,1.")


def spotted_run() -> None:
    """Track 2 whose first gesture of each video is found, the others are not."""
    clips = write_tiny_videos()
    make_folds_main(["--run", "tiny", "--track", "track2", "--num-folds", "2"])
    first = clips.table[(clips.table.split == "train")].groupby("video_id").head(1)
    spotting_candidates_npz("tiny").parent.mkdir(parents=True)
    np.savez(
        spotting_candidates_npz("tiny"),
        video=first.video_id.to_numpy().astype(str),
        fold=np.zeros(len(first), np.int8),
        start=first.start_frame.to_numpy(float),
        end=first.start_frame.to_numpy(float) + first.num_frames.to_numpy(),
        label=first.label.to_numpy(),
        score=np.full(len(first), 0.9),
    )
    strict = {"f1": 0.4, "precision": 1.0, "recall": 0.25}
    curve = {"thresholds": [0.2, 0.4], "strict_f1_by_nms_iou": {"0.1": [0.3, 0.4], "0.5": [0.2, 0.1]}}
    facts = {"threshold": 0.4, "nms_iou": 0.1, "out_of_fold": {"strict": strict}, "curve": curve}
    write_json(spotting_json("tiny"), facts)
