"""Draw how GE-CN's z separates the classes of held-out clips: t-SNE of the four largest classes and of all.

reads:  clips/<run>/track1/, folds/<run>.csv, checkpoints/<run>/gecn/fold<k>/weights.pt
writes: report/<run>/gecn_tsne.png

    python -m models.gecn.tsne --run demo [--fold 0] [--split held-out]

After GE-CN (MiGA 2023), figures 2 and 3. On iMiGUE the four largest classes are 31, 30, 28 and 19.
"""

import argparse
import dataclasses
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.manifold import TSNE

from folds.make import load_folds
from miga.clips import Clips, load_clips
from miga.errors import InputError, run_command
from miga.files import replacing
from miga.paths import check_run_name, fold_checkpoint_dir, report_dir
from miga.training.checkpoint import load_checkpoint
from models.gecn.config import GECNConfig
from models.gecn.entry import build_network, build_transform

NAME = "gecn"
PERPLEXITY, ITERATIONS = 30, 1000
NUM_LARGEST = 4
MIN_CLIPS = 4  # fewer points have no neighbourhoods to keep


@torch.no_grad()
def bottlenecks(clips: Clips, rows: NDArray[np.int64], weights: Path) -> NDArray[np.float32]:
    """z of clips in eval mode, from a trained fold: (N, D)."""
    state = load_checkpoint(weights)
    plain = state["fingerprint"]["config"]
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in plain.items()}
    config = GECNConfig(**fields)
    model = build_network(clips, config)
    transform = dataclasses.replace(build_transform(clips, config), num_clips=1, flip_views=False)
    model.load_state_dict(state["model"])
    model.eval()
    parts = []
    for part in np.array_split(rows, -(-len(rows) // config.test_batch_size)):
        table = clips.table.iloc[part]
        joints = [
            transform.test_views(clips.joints_of(row), width, height)["joints"][0]
            for row, width, height in zip(part, table.width, table.height, strict=True)
        ]
        parts.append(model(torch.from_numpy(np.stack(joints)))["z"].numpy())
    return np.concatenate(parts)


def draw_tsne(z: NDArray, labels: NDArray[np.int64], classes: tuple[str, ...]) -> Figure:
    """Two panels: the largest classes, each panel embedded for itself, and all classes; legends outside.

    Args:
        z: (N, D).
        labels: (N,) zero-based.
        classes: names in label order.
    Raises:
        InputError: fewer than four clips.
    """
    if len(z) < MIN_CLIPS:
        raise InputError(f"t-SNE needs at least {MIN_CLIPS} labelled clips, got {len(z)}; choose another --split")
    counts = np.bincount(labels, minlength=len(classes))
    largest = np.argsort(-counts, kind="stable")[:NUM_LARGEST]
    figure = Figure(figsize=(16, 7), layout="constrained")
    left, right = figure.subplots(1, 2)
    some = np.isin(labels, largest)
    if some.sum() >= MIN_CLIPS:
        _scatter(left, embed(z[some]), labels[some], classes, f"the {NUM_LARGEST} largest classes")
    else:
        left.set_axis_off()
    _scatter(right, embed(z), labels, classes, "all classes")
    return figure


def embed(z: NDArray) -> NDArray[np.float32]:
    """t-SNE to the plane, (N, D) -> (N, 2); the same input gives the same picture."""
    perplexity = min(PERPLEXITY, (len(z) - 1) / 3)
    return TSNE(2, perplexity=perplexity, max_iter=ITERATIONS, init="pca", random_state=0).fit_transform(z)


def _scatter(axes: Axes, points: NDArray, labels: NDArray, classes: tuple[str, ...], title: str) -> None:
    """One colour and one marker shape per class; a second round of colours takes another shape."""
    colours = [matplotlib.colormaps["tab20"](i) for i in range(20)]
    for label in np.unique(labels):
        own = labels == label
        marker = "ox^s"[label // len(colours) % 4]
        name = f"{label} {classes[label]} ({own.sum()})"
        axes.scatter(
            points[own, 0], points[own, 1], s=18, color=colours[label % len(colours)], marker=marker, label=name
        )
    axes.set(title=f"{title}, {len(points)} clips", xticks=[], yticks=[])
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize="small", frameon=False)


def rows_of_split(clips: Clips, run: str, fold: int, split: str) -> NDArray[np.int64]:
    """Labelled clips that the fold's network was trained on (`train`) or not (`held-out`, `test`)."""
    folds = load_folds(run)
    chosen = {"held-out": folds.fold == fold, "train": (folds.fold >= 0) & (folds.fold != fold), "test": folds.fold < 0}
    rows = clips.rows_of(folds.clip_id[chosen[split]].to_numpy())
    return rows[clips.table.label.to_numpy()[rows] >= 0]


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Draw a t-SNE figure of GE-CN's z.")
    parser.add_argument("--run", required=True)
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--split", choices=("held-out", "train", "test"), default="held-out")
    parser.add_argument("--overwrite", action="store_true", help="draw again what is already there")
    args = parser.parse_args(argv)
    weights = fold_checkpoint_dir(check_run_name(args.run), NAME, args.fold) / "weights.pt"
    path = report_dir(args.run) / f"{NAME}_tsne.png"
    if not weights.exists():
        raise InputError(f"{weights}: not trained yet; run `python -m models.gecn.train --run {args.run}` first")
    if path.exists() and path.stat().st_mtime >= weights.stat().st_mtime and not args.overwrite:
        print(f"{path}: already there")
        return
    clips = load_clips(args.run, "track1")
    rows = rows_of_split(clips, args.run, args.fold, args.split)
    z = bottlenecks(clips, rows, weights) if len(rows) else np.zeros((0, 1), np.float32)
    figure = draw_tsne(z, clips.table.label.to_numpy()[rows], clips.classes)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=110)
    print(f"{NAME}: t-SNE of {len(rows)} {args.split} clips -> {path}")


if __name__ == "__main__":
    run_command(main)
