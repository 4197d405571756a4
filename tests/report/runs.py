"""Runs for the tests of the page, made of the tiny clips below the current directory."""

from ensemble.blend import main as blend_main
from ensemble.forecast import main as forecast_main
from folds.make import main as make_folds_main
from miga.paths import fold_checkpoint_dir
from spotting.blend import main as blend_spotting
from spotting.candidates import Member, fingerprint_of_run, folds_of_run, write_member
from spotting.profiles import PROFILES
from spotting.segments import make_segments
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
    fold_of, found = folds_of_run("tiny"), {}
    for video, rows in clips.table[clips.table.split == "train"].groupby("video_id"):
        start, frames, label = rows.iloc[0][["start_frame", "num_frames", "label"]]
        found[video, fold_of[video]] = make_segments([start], [start + frames], [label], [0.9])
    facts = {"settings": PROFILES["smoke"].to_dict(), "device": "cpu", "minutes": 0.1}
    facts |= {"out_of_fold": {"strict": {"f1": 0.4}}}
    write_member("tiny", Member("joint", fold_of, found, {**facts, "fingerprint": fingerprint_of_run("tiny")}))
    blend_spotting(["--run", "tiny"])
