"""How long heatmaps take to draw: ours, a batch at a time, beside a loop that draws one joint at a time in numpy.

The loop is what a loader does where heatmaps are made per clip; it follows the same definition.

reads: nothing
writes: nothing (prints a table)

    python -m benchmarks.heatmaps
    python -m benchmarks.heatmaps --device cuda --threads 2
"""

import argparse
import platform
import time
from collections.abc import Callable

import numpy as np
import torch

from datasets.skeletons import IMIGUE_22
from transforms.heatmaps import joint_heatmaps, limb_heatmaps

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


def loop_patch(low: float, high: float, length: int) -> np.ndarray:
    return np.arange(max(int(low - 3 * SIGMA), 0), min(int(high + 3 * SIGMA) + 1, length), dtype=np.float32)


def loop_segment(image: np.ndarray, a: np.ndarray, b: np.ndarray, score: float) -> None:
    """Draw the ridge around the segment from a to b (a point where they are equal) into image (H, W)."""
    u = loop_patch(min(a[0], b[0]), max(a[0], b[0]), image.shape[1])[None, :]
    v = loop_patch(min(a[1], b[1]), max(a[1], b[1]), image.shape[0])[:, None]
    if u.size == 0 or v.size == 0 or score < 1e-3:
        return
    du, dv = u - a[0], v - a[1]
    if a is not b:
        step = b - a
        share = np.clip((du * step[0] + dv * step[1]) / (step @ step), 0, 1)
        du, dv = du - share * step[0], dv - share * step[1]
    patch = score * np.exp(-(du**2 + dv**2) / (2 * SIGMA**2))
    window = image[int(v[0, 0]) : int(v[-1, 0]) + 1, int(u[0, 0]) : int(u[0, -1]) + 1]
    np.maximum(window, patch, out=window)


def loop_heatmaps(keypoints: np.ndarray, scores: np.ndarray, side: int, limbs: tuple | None) -> np.ndarray:
    """One clip, (M, T, V, 2) and (M, T, V), one patch at a time: (V or E, T, H, W)."""
    pairs = limbs or [(joint, joint) for joint in range(keypoints.shape[2])]
    volume = np.zeros((len(pairs), keypoints.shape[1], side, side), np.float32)
    for m, t in np.ndindex(keypoints.shape[:2]):
        for channel, (i, j) in enumerate(pairs):
            a, b = keypoints[m, t, i], keypoints[m, t, j]
            score = min(scores[m, t, i], scores[m, t, j])
            if i == j or ((a - b) ** 2).sum() < 1:
                b, score = a, scores[m, t, i] if score >= 1e-3 else 0.0
            loop_segment(volume[channel, t], a, b, score)
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
    heads = f"{'ours, ms a clip':>18}{'loop, ms a clip':>18}{'ratio':>8}{'difference':>12}"
    print(f"{'maps':8}{'clips x frames x side':24}{heads}")
    for num_clips, num_frames, side in SETTINGS:
        keypoints, scores = random_walk(num_clips, num_frames, side)
        points, confidence = torch.from_numpy(keypoints).to(device), torch.from_numpy(scores).to(device)
        size = (side, side)
        for name, limbs in (("joints", None), ("limbs", IMIGUE_22.limbs)):

            def ours(points=points, confidence=confidence, size=size, limbs=limbs):
                if limbs is None:
                    return joint_heatmaps(points, confidence, size, SIGMA)
                return limb_heatmaps(points, confidence, limbs, size, SIGMA)

            def loop(clip=(keypoints[0], scores[0]), side=side, limbs=limbs):
                return loop_heatmaps(*clip, side, limbs)

            difference = np.abs(ours()[0].cpu().numpy() - loop()).max()
            batch_ms = 1e3 * best_seconds(ours, repeats=5, clock=clock) / num_clips
            loop_ms = 1e3 * best_seconds(loop, repeats=3, clock=time.process_time)
            case = f"{num_clips} x {num_frames} x {side}"
            print(f"{name:8}{case:24}{batch_ms:18.2f}{loop_ms:18.2f}{loop_ms / batch_ms:8.1f}{difference:12.1e}")


if __name__ == "__main__":
    main()
