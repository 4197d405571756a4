"""Time one training step of every entry at its published size, and its peak memory.

reads:  nothing
writes: nothing

    python -m benchmarks.paper_step [--entries m3cn,gecn] [--batch 1] [--repeats 2]

Random clips of 22 joints and 32 classes; forward, loss, backward and optimizer step of the last step of a recipe,
in the paper profile's precision. On a GPU the published batch; on a CPU batch 1, which is not the full size. Each entry
runs in a process of its own, so that its peak memory is its own.
"""

import argparse
import dataclasses
import importlib
import multiprocessing
import time
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from miga.skeletons import IMIGUE_22
from miga.training.config import FitConfig
from miga.training.optimizer import build_optimizer
from miga.training.precision import autocast
from miga.training.progress import peak_memory_gb
from miga.training.resources import choose_device
from miga.transforms.graph import STREAM_CHANNELS, with_score

NUM_CLASSES, NUM_JOINTS, NUM_KEYPOINTS = 32, IMIGUE_22.num_joints, 17
Made = tuple[nn.Module, dict[str, Tensor]]  # a network, and a batch as the arguments of its forward


def module_of(folder: str, name: str):
    """models/<folder>/<name>.py, imported only when it is timed: any folder may have been deleted."""
    return importlib.import_module(f"models.{folder}.{name}")


def heatmaps(config: Any, batch: int) -> dict[str, Tensor]:
    return {"heatmaps": torch.rand(batch, NUM_JOINTS, config.clip_len, config.train_size, config.train_size)}


def posec3d(config: Any, batch: int) -> Made:
    model = module_of("posec3d", "model").PoseC3D(
        NUM_JOINTS, NUM_CLASSES, base_channels=config.base_channels, blocks=config.blocks, dropout=config.dropout
    )
    return model, heatmaps(config, batch)


def semantic(config: Any, batch: int) -> Made:
    model = module_of("semantic", "model").SemanticPoseC3D(
        NUM_JOINTS, NUM_CLASSES, 300, base_channels=config.base_channels, blocks=config.blocks, dropout=config.dropout
    )
    return model, heatmaps(config, batch)


def gecn(config: Any, batch: int) -> Made:
    channels = num_channels(config.streams)
    model = module_of("gecn", "model").GECN(
        IMIGUE_22, NUM_CLASSES, width=config.width, k=config.k, in_channels=channels
    )  # fmt: skip
    return model, {"joints": torch.randn(batch, channels, config.num_frames, NUM_JOINTS, 1)}


def ehct(config: Any, batch: int) -> Made:
    channels = num_channels(config.stream)
    model = module_of("ehct", "model").EHCT(
        IMIGUE_22, NUM_CLASSES, in_channels=channels, num_heads=config.num_heads, head_dim=config.head_dim,
        strides=config.strides,
    )  # fmt: skip
    return model, {"joints": torch.randn(batch, channels, config.num_frames, NUM_JOINTS, 1)}


def num_channels(streams: tuple[str, ...]) -> int:
    return sum(STREAM_CHANNELS[stream] for stream in with_score(streams))


def rgb_slowonly(config: Any, batch: int) -> Made:
    model = module_of("rgb_slowonly", "model").RGBSlowOnly(
        NUM_CLASSES, base_channels=config.base_channels, blocks=config.blocks, pool_stride=config.pool_stride,
        dropout=config.dropout,
    )  # fmt: skip
    return model, {"rgb": torch.randn(batch, 3, config.clip_len, config.train_size, config.train_size)}


def video_swin(config: Any, batch: int) -> Made:
    model = module_of("video_swin", "entry").build_network(NUM_CLASSES, without_download(config))
    return model, {"rgb": torch.randn(batch, 3, config.clip_len, config.train_size, config.train_size)}


def image_level(config: Any, batch: int) -> Made:
    picture = torch.randn(batch, 3, config.train_size, config.train_size)
    model = module_of("image_level", "entry").build_network(NUM_CLASSES, NUM_KEYPOINTS, without_download(config))
    return model, {"picture": picture, "keypoints": torch.rand(batch, 3 * NUM_KEYPOINTS)}


def without_download(config: Any) -> FitConfig:
    """Weights to start from make no step slower or faster."""
    return dataclasses.replace(config, pretrained="none")


def two_pathways(folder: str, network: str) -> Callable[[FitConfig, int], Made]:
    def make(config: Any, batch: int) -> Made:
        network_class = getattr(module_of(folder, "model"), network)
        model = network_class(NUM_JOINTS, NUM_CLASSES, dropout=config.dropout, **config.trunk)
        size, small = config.train_size, config.heatmap_size(config.train_size)
        rgb = torch.randn(batch, 3, config.rgb_frames, size, size)
        return model, {"rgb": rgb, "heatmaps": torch.rand(batch, NUM_JOINTS, config.pose_frames, small, small)}

    return make


ENTRIES = {
    "posec3d": posec3d,
    "semantic": semantic,
    "gecn": gecn,
    "ehct": ehct,
    "rgb_slowonly": rgb_slowonly,
    "rgbpose": two_pathways("rgbpose", "RGBPoseConv3D"),
    "m3cn": two_pathways("m3cn", "M3CN"),
    "prototype": two_pathways("prototype", "PrototypeNet"),
    "video_swin": video_swin,
    "image_level": image_level,
}


def time_entry(name: str, batch: int | None, repeats: int) -> None:
    """Print one row: parameters, batch, seconds a step (the best of the repeats), peak GB."""
    device = choose_device(None)
    torch.manual_seed(0)
    config = module_of(name, "config").PROFILES["paper"]
    size = batch or (config.batch_size if device.type == "cuda" else 1)
    model, inputs = ENTRIES[name](config, size)
    model, inputs = model.to(device).train(), {key: value.to(device) for key, value in inputs.items()}
    labels = torch.randint(NUM_CLASSES, (size,), device=device)
    optimizer = build_optimizer(model, config)
    seconds = []
    for _ in range(repeats + 1):  # the first one warms up
        start = time.perf_counter()
        with autocast(config.precision, device):
            output = model(**inputs)
            logits = output["logits"] if isinstance(output, dict) else output
            loss = F.cross_entropy(logits.float(), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    millions = sum(parameter.numel() for parameter in model.parameters()) / 1e6
    print(f"| {name} | {millions:.2f} | {size} | {min(seconds[1:]):.2f} | {peak_memory_gb(device):.1f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Time one training step of every entry at its published size.")
    parser.add_argument("--entries", default=",".join(ENTRIES))
    parser.add_argument("--batch", type=int)
    parser.add_argument("--repeats", type=int, default=2)
    args = parser.parse_args()
    print("| entry | M parameters | batch | s a step | peak GB |\n|---|---|---|---|---|", flush=True)
    for name in args.entries.split(","):
        process = multiprocessing.get_context("spawn").Process(target=time_entry, args=(name, args.batch, args.repeats))
        process.start()
        process.join()
        if process.exitcode:
            raise SystemExit(f"{name} could not be timed")


if __name__ == "__main__":
    main()
