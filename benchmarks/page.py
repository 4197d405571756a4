"""Size and seconds of the page at the size of iMiGUE: 13,670 clips, 32 classes, pictures of 256 pixels.

The clips, entries and pictures are made up (the same skeleton and picture under other names); the blend is the mean of
the entries.

reads:  nothing
writes: a run `imigue_size` below --folder; prints a line

    python -m benchmarks.page --folder page_of_imigue_size --entries 16
"""

import argparse
import contextlib
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from folds.make import main as make_folds_main
from miga.clips import CLIP_COLUMNS, VIDEO_COLUMNS, load_clips
from miga.files import write_json
from miga.paths import clips_dir, fold_checkpoint_dir, oof_npz, report_html, rgb_store_dir
from miga.rgb_store import identity
from miga.skeletons import IMIGUE_22
from oof.artifacts import Oof, write_oof
from report.page import make_page

RUN, CLIPS, TEST_CLIPS, PEOPLE, CLASSES, FRAMES, SIZE, EPOCHS = "imigue_size", 13670, 3774, 37, 32, 40, 256, 150


def write_run(num_entries: int) -> None:
    rng = np.random.default_rng(0)
    share = 0.85 ** np.arange(CLASSES)
    label = rng.choice(CLASSES, CLIPS + TEST_CLIPS, p=share / share.sum())
    rows, videos = [], []
    for number in range(CLIPS + TEST_CLIPS):
        is_train = number < CLIPS
        person, split = (f"S{number % PEOPLE}", "train") if is_train else ("T", "test")
        video = f"{number % PEOPLE + 1:04d}" if is_train else "0999"
        times = (int(label[number]) if is_train else -1, 0, FRAMES, 0, 1280, 720, 25.0, "video.mp4", 0, True)
        rows.append((f"{video}_{number}", video, person, split, split, *times))
    table = pd.DataFrame(rows, columns=list(CLIP_COLUMNS)).sort_values("clip_id", ignore_index=True)
    for video, first in table.groupby("video_id").first().iterrows():
        videos.append((video, first.subject_id, first.split, first.split, FRAMES, 0, 1280, 720, 25.0, "video.mp4"))
    folder = clips_dir(RUN, "track1")
    folder.mkdir(parents=True)
    table.to_csv(folder / "clips.csv", index=False)
    pd.DataFrame(videos, columns=list(VIDEO_COLUMNS)).to_csv(folder / "videos.csv", index=False)
    joints = np.concatenate([rng.uniform(200, 700, (FRAMES, 1, 22, 2)), np.ones((FRAMES, 1, 22, 1))], -1)
    np.save(folder / "joints.npy", joints.astype(np.float32))
    names = [f"a gesture called {k}" for k in range(CLASSES)]
    facts = {"skeleton": IMIGUE_22.to_dict(), "classes": names, "mirror": None, "content_sha256": "", "first_frame": 0}
    write_json(folder / "meta.json", facts)
    make_folds_main(["--run", RUN, "--num-folds", "4"])
    _write_pictures(rng)
    train, test = table[table.split == "train"], table[table.split == "test"]
    folds = pd.read_csv(Path("folds") / f"{RUN}.csv", dtype={"clip_id": str}).set_index("clip_id").fold
    hard = rng.normal(size=(len(train), CLASSES))
    for entry in range(num_entries):
        logits = 1.8 * np.eye(CLASSES)[train.label] + hard + 0.8 * rng.normal(size=hard.shape)
        test_logits = rng.normal(size=(4, len(test), CLASSES))
        ids = train.clip_id.to_numpy().astype(str)
        found = (ids, folds[ids].to_numpy(), train.label.to_numpy(), 1.5 * logits, np.array(names))
        write_oof(oof_npz(RUN, f"entry{entry}"), Oof(*found, test.clip_id.to_numpy().astype(str), test_logits))
        for fold in range(4):
            log = fold_checkpoint_dir(RUN, f"entry{entry}", fold) / "log.csv"
            log.parent.mkdir(parents=True)
            epochs = "".join(f"{e + 1},{3 / (e + 1):.6f},{1 - 1 / (e + 2):.4f}\n" for e in range(EPOCHS))
            log.write_text("epoch,loss,train_top1\n" + epochs)


def _write_pictures(rng: np.random.Generator) -> None:
    """A store in which all clips share one noisy JPEG, which is the worst for the size of a strip."""
    clips, folder = load_clips(RUN, "track1"), rgb_store_dir(RUN, SIZE)
    folder.mkdir(parents=True)
    smooth = cv2.resize(rng.integers(0, 255, (32, 32, 3)).astype(np.uint8), (SIZE, SIZE))
    content = cv2.imencode(".jpg", smooth)[1]
    (folder / "pictures_0.bin").write_bytes(content.tobytes())
    np.save(folder / "index.npy", np.tile([0, 0, len(content)], (len(clips) * FRAMES, 1)))
    np.save(folder / "boxes.npy", np.tile(np.array([200, 200, 700, 700], np.float32), (len(clips), 1)))
    write_json(folder / "meta.json", {**identity(clips, SIZE), "files": ["pictures_0.bin"]})


def measure(folder: Path, num_entries: int) -> tuple[float, float]:
    """Seconds and megabytes (2**20 bytes) of the page."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.chdir(folder):
        write_run(num_entries)
        began = time.monotonic()
        make_page(RUN)
        return time.monotonic() - began, report_html(RUN).stat().st_size / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description="Size and seconds of the page at iMiGUE's size.")
    parser.add_argument("--folder", type=Path, required=True, help="an empty folder")
    parser.add_argument("--entries", type=int, default=16)
    args = parser.parse_args()
    seconds, megabytes = measure(args.folder, args.entries)
    print(f"{CLIPS} clips, {args.entries} entries: {megabytes:.1f} MB in {seconds:.0f} s")


if __name__ == "__main__":
    main()
