"""How long heatmaps take to draw: ours, a batch at a time, beside a loop that draws one joint at a time in numpy.

The loop does what pyskl's loader does, clip by clip (pyskl/datasets/pipelines/heatmap_related.py), and follows the same
definition. Filling the memory of a volume with zeros is the limit of any drawing that writes every pixel.

Tried for limbs, at the first setting on a core of an AMD EPYC (Zen 4): every pixel, in memory used before, 11 ms a clip
(joints: 2.9; the faster way under 32 x 32 pixels, and the one taken there); tiles of 4, 5, 6 and 8 pixels written with
index_put_, 7 ms, and with scatter_, 5 ms; the same with frames that fit the cache cleared and drawn at once, 4 to 5 ms.
Tiles are 9 % of the pixels, and 43 % of those are written as zeros: that, and the fill, is what is left to gain.

reads: nothing
writes: nothing (prints a table)

    python -m benchmarks.heatmaps
    python -m benchmarks.heatmaps --device cuda --threads 2
"""

import argparse
import platform
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from miga.skeletons import IMIGUE_22
from miga.transforms.heatmaps import joint_heatmaps, limb_heatmaps
from miga.transforms.reused_memory import ReusedMemory

SIGMA = 0.6
SETTINGS = ((16, 48, 64), (16, 16, 32))  # clips, frames, side of the map in pixels


def random_walk(num_clips: int, num_frames: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    """One person per clip about the size of the map, fingers near their wrists: (B, 1, T, 22, 2) and (B, 1, T, 22)."""
    rng = np.random.default_rng([num_clips, num_frames, side])
    keypoints = rng.uniform(0.1 * side, 0.9 * side, (num_clips, 1, 1, 22, 2))
    for wrist, fingers in ((7, slice(12, 17)), (4, slice(17, 22))):
        keypoints[..., fingers, :] = keypoints[..., wrist : wrist + 1, :] + rng.normal(0, side / 40, (5, 2))
    keypoints = keypoints + rng.normal(0, side / 60, (num_clips, 1, num_frames, 22, 2))
    scores = rng.uniform(0.3, 1, keypoints.shape[:-1])
    return keypoints.astype(np.float32), scores.astype(np.float32)


def loop_window(image: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The part of image (H, W) within three sigma of a box, its columns (w,) and its rows (h, 1)."""
    first = [max(int(low[axis] - 3 * SIGMA), 0) for axis in (0, 1)]
    stop = [max(int(high[axis] + 3 * SIGMA) + 1, 0) for axis in (0, 1)]
    window = image[first[1] : stop[1], first[0] : stop[0]]
    columns = np.arange(first[0], first[0] + window.shape[1], dtype=np.float32)
    return window, columns, np.arange(first[1], first[1] + window.shape[0], dtype=np.float32)[:, None]


def loop_joint(image: np.ndarray, centre: np.ndarray, score: float) -> None:
    """Draw one joint into image (H, W)."""
    window, u, v = loop_window(image, centre, centre)
    if score >= 1e-3 and window.size:
        patch = score * np.exp(-((u - centre[0]) ** 2 + (v - centre[1]) ** 2) / (2 * SIGMA**2))
        np.maximum(window, patch, out=window)


def loop_limb(image: np.ndarray, a: np.ndarray, b: np.ndarray, score_a: float, score_b: float) -> None:
    """Draw one limb into image (H, W): distances to both ends and to the line, of which each pixel takes one."""
    window, u, v = loop_window(image, np.minimum(a, b), np.maximum(a, b))
    if min(score_a, score_b) < 1e-3 or not window.size:
        return
    length2 = ((b - a) ** 2).sum()
    if length2 < 1:
        loop_joint(image, a, score_a)
        return
    from_a = (u - a[0]) ** 2 + (v - a[1]) ** 2
    from_b = (u - b[0]) ** 2 + (v - b[1]) ** 2
    share = (from_a - from_b + length2) / (2 * length2)  # of the way from a to b
    pixels = np.stack(np.broadcast_arrays(u, v), axis=-1)
    offset = pixels - (a + share[..., None] * (b - a))
    from_line = offset[..., 0] ** 2 + offset[..., 1] ** 2
    is_before, is_behind = share <= 0, share >= 1
    distance2 = is_before * from_a + is_behind * from_b + (1 - is_before - is_behind) * from_line
    patch = min(score_a, score_b) * np.exp(-distance2 / (2 * SIGMA**2))
    np.maximum(window, patch, out=window)


def loop_heatmaps(keypoints: np.ndarray, scores: np.ndarray, side: int, limbs: tuple | None) -> np.ndarray:
    """One clip, (M, T, V, 2) and (M, T, V), one joint or limb of a frame at a time: (T, V or E, H, W)."""
    num_persons, num_frames, num_joints = scores.shape
    volume = np.zeros((num_frames, len(limbs or range(num_joints)), side, side), np.float32)
    for t, m in np.ndindex(num_frames, num_persons):
        xy, score = keypoints[m, t], scores[m, t]
        if limbs is None:
            for joint in range(num_joints):
                loop_joint(volume[t, joint], xy[joint], score[joint])
        else:
            for channel, (i, j) in enumerate(limbs):
                loop_limb(volume[t, channel], xy[i], xy[j], score[i], score[j])
    return volume


def best_seconds(draw: Callable[[], object], repeats: int, clock: Callable[[], float]) -> float:
    """The fastest of several runs after one to warm up; other work on the machine can only slow a run down."""
    seconds = []
    for _ in range(repeats + 1):
        start = clock()
        draw()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        seconds.append(clock() - start)
    return min(seconds[1:])


def processor_name() -> str:
    """What the operating system calls the processor."""
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu", help="where to draw ours: cpu or cuda")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads for ours (the loop has one)")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    device = torch.device(arguments.device)
    # One thread's time on the processor is the same on a busy machine; several threads and a GPU need the wall clock.
    clock = time.process_time if device.type == "cpu" and arguments.threads == 1 else time.perf_counter
    place = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{arguments.threads} thread(s)"
    print(f"{processor_name()}, torch {torch.__version__}, numpy {np.__version__}; ours on {place}")
    heads = "".join(f"{head:>9}" for head in ("ours", "fresh", "fill", "loop", "ratio"))
    print("ms a clip; fresh: ours in memory never used before; fill: zeros into memory that is used again")
    print(f"{'maps':8}{'clips x frames x side':24}{heads}{'difference':>12}")
    for num_clips, num_frames, side in SETTINGS:
        keypoints, scores = random_walk(num_clips, num_frames, side)
        people = torch.from_numpy(keypoints).to(device), torch.from_numpy(scores).to(device)
        for name, limbs in (("joints", None), ("limbs", IMIGUE_22.limbs)):

            def ours(memory: ReusedMemory | None, people=people, side=side, limbs=limbs) -> torch.Tensor:
                if limbs is None:
                    return joint_heatmaps(people[0], people[1], (side, side), SIGMA, memory)
                return limb_heatmaps(people[0], people[1], limbs, (side, side), SIGMA, memory)

            def loop(clip=(keypoints[0], scores[0]), side=side, limbs=limbs) -> np.ndarray:
                return loop_heatmaps(clip[0], clip[1], side, limbs)

            volume = ours(None)
            difference = np.abs(volume[0].transpose(0, 1).cpu().numpy() - loop()).max()
            batches = (partial(ours, ReusedMemory()), partial(ours, None), volume.zero_)
            milliseconds = [1e3 * best_seconds(draw, repeats=9, clock=clock) / num_clips for draw in batches]
            milliseconds.append(1e3 * best_seconds(loop, repeats=3, clock=time.process_time))
            times = "".join(f"{value:9.2f}" for value in milliseconds)
            case = f"{num_clips} x {num_frames} x {side}"
            print(f"{name:8}{case:24}{times}{milliseconds[-1] / milliseconds[0]:9.1f}{difference:12.1e}")


if __name__ == "__main__":
    main()
