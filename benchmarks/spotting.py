"""What a long recording costs track 2: one token a frame, then detection; time and memory at three lengths.

reads:  nothing
writes: nothing (prints a table)

    OMP_NUM_THREADS=1 python -m benchmarks.spotting [--profile demo] [--stream joint] [--frames 25000]
    OMP_NUM_THREADS=1 python -m benchmarks.spotting --stream rgb --frames 1600     # decodes 1920x1080 pictures too

A made-up recording of 25,000 frames, a quarter and a sixteenth of it, each in a process of its own, so that its peak
memory is its own. One extractor and one detector at the profile's sizes with random weights, all views that the profile
averages. Times are processor time of one thread: folds and videos are what runs side by side. A test video is seen by
the networks of all folds, which is that many times as long. Real time counts 28 frames a second, as SMG has.
"""

import argparse
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import av
import cv2
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn

from miga.clips import CLIP_COLUMNS, VIDEO_COLUMNS, Clips, load_clips
from miga.errors import run_command
from miga.files import replacing, write_json
from miga.paths import clips_dir, spotting_tokens_npy
from miga.skeletons import SMG_25
from miga.training.config import PROFILE_NAMES
from miga.training.progress import peak_memory_gb
from recordings.rgb_store import build_rgb_store
from spotting.detection import channels_of
from spotting.job import SpottingJob
from spotting.nms import suppress
from spotting.profiles import PROFILES
from spotting.propose import find_candidates
from spotting.stream_detector import StreamDetector
from spotting.streams import open_stream, stream_key
from spotting.views import video_view

RUN, VIDEO, CLASSES, FPS = "benchmark", "long", 17, 28
SIZE = (1080, 1920)
CPU = torch.device("cpu")


def write_recording(num_frames: int, with_pictures: bool) -> Clips:
    """A standing person who sways, below the current folder, as `recordings.prepare` leaves recordings."""
    folder = clips_dir(RUN, "track2")
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    joints = np.ones((num_frames, 1, SMG_25.num_joints, 3), np.float32)
    body = rng.uniform(-1, 1, (SMG_25.num_joints, 2)) * (150, 350) + (960, 540)
    sway = 30 * np.sin(np.arange(num_frames)[:, None] / rng.uniform(5, 50, SMG_25.num_joints))
    joints[:, 0, :, :2] = body + sway[..., None] + rng.normal(0, 1, (num_frames, SMG_25.num_joints, 2))
    np.save(folder / "joints.npy", joints)
    film = ""
    if with_pictures:
        film = "film.mp4"
        background = np.kron(rng.integers(0, 255, (27, 48, 3), np.uint8), np.ones((40, 40, 1), np.uint8))
        film_person(film, background, joints[:, 0, 7, :2])
    video = (VIDEO, "person", "train", "train", num_frames, 0, *SIZE[::-1], FPS, film)
    pd.DataFrame([video], columns=list(VIDEO_COLUMNS)).to_csv(folder / "videos.csv", index=False)
    pd.DataFrame([], columns=list(CLIP_COLUMNS)).to_csv(folder / "clips.csv", index=False)
    names = [str(number) for number in range(CLASSES)]
    write_json(
        folder / "meta.json",
        {
            **{"skeleton": SMG_25.to_dict(), "classes": names, "codes": list(range(CLASSES)), "first_frame": 1},
            **{"mirror": list(range(CLASSES)), "content_sha256": "benchmark"},
        },
    )
    return load_clips(RUN, "track2")


def film_person(path: str, background: NDArray[np.uint8], places: NDArray) -> None:
    """An H.264 film of a disc that moves before a background."""
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.height, stream.width, stream.pix_fmt = *SIZE, "yuv420p"
        stream.options = {"preset": "superfast"}
        for x, y in places.astype(int).tolist():
            picture = background.copy()
            cv2.circle(picture, (x, y), 40, (255, 0, 0), -1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def measure(profile: str, stream_name: str, num_frames: int) -> dict[str, float]:
    """Seconds of each part and the peak memory of the process, in GB."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config, seconds = PROFILES[profile], {}
    job = SpottingJob(RUN, stream_name, (stream_name,), 0, config, {}, CPU)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        clips = write_recording(num_frames, stream_name == "rgb")
        if stream_name == "rgb":
            started = time.perf_counter()  # two processes decode: their time is not this one's
            build_rgb_store(RUN, config.rgb.picture_size, "track2")
            seconds["pictures"] = time.perf_counter() - started
        stream = open_stream(clips, config, stream_name)
        network: Any = stream.network().eval()
        started = time.process_time()
        for number in range(job.num_test_views):
            tokens = stream.describe(network, VIDEO, video_view(number, 0), CPU)
            path = spotting_tokens_npy(RUN, stream_key(config, stream_name), 0, number, VIDEO)
            with replacing(path) as temporary:
                np.save(temporary, tokens, allow_pickle=False)
        seconds["tokens"] = time.process_time() - started
        detector = StreamDetector(channels_of(job, VIDEO), CLASSES, config.detector).eval()
        for parameter in detector.parameters():
            if parameter.ndim > 1:
                nn.init.normal_(parameter, std=0.05)  # so that every point has something to say
        started = time.process_time()
        found = find_candidates(clips, VIDEO, [job], [detector], (stream_name,))[0]
        kept = suppress(found, 0.2)
        seconds["detection"] = time.process_time() - started
        os.chdir("/")
    return {**seconds, "candidates": len(found), "segments": len(kept), "peak": peak_memory_gb(CPU)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", default="demo", choices=PROFILE_NAMES)
    parser.add_argument("--stream", default="joint", choices=("joint", "rgb"))
    parser.add_argument("--frames", type=int, default=25_000, help="of the longest recording")
    args = parser.parse_args()
    print(f"profile {args.profile}, stream {args.stream}, {FPS} frames a second")
    for num_frames in (args.frames // 16, args.frames // 4, args.frames):
        # A process each: peak memory is that of the longest before it otherwise.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            measured = pool.submit(measure, args.profile, args.stream, num_frames).result()
        spent = [name for name in ("pictures", "tokens", "detection") if name in measured]
        factor = num_frames / FPS / sum(measured[name] for name in spent)
        parts = ", ".join(f"{name} {measured[name]:.1f} s" for name in spent)
        print(
            f"{num_frames} frames: {parts}: {factor:.1f} x real time; {measured['candidates']} candidates, "
            f"{measured['segments']} segments; peak {measured['peak']:.2f} GB",
            flush=True,
        )


if __name__ == "__main__":
    run_command(main)
