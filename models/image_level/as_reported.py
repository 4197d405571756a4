"""Train the image-level baseline as its report did, and score single frames.

reads:  clips/<run>/track1/, folds/<run>.csv
writes: checkpoints/<run>/papers/image_level_report/{checkpoint,weights}.pt, report/<run>/image_level_report.json,
        report/<run>/image_level_curves.png

    python -m models.image_level.as_reported --run demo [--profile paper] [--setting value ...]

Every frame of a clip is a sample; up to 20 epochs of Adam with AMSGrad from 1e-3; the rate falls where the loss of the
held-out frames stands still, and training stops 4 epochs after its least. Of each class a fifth of the clips is held
out: clips, not people, so these figures are not those of new people, and training is stopped by what is scored.
That is why no out-of-fold file is written: no blend and no choice may read them. Test people are not touched.

Source: the image-level report of LUT (MiGA 2024). It is silent on the batch, on how much the rate falls and when: 64,
a half, after two epochs; and on whether the backbone starts from ImageNet: it does in `paper`.
"""

import argparse
import dataclasses
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import DataLoader, Dataset

from folds.make import load_folds
from miga.clips import Clips, load_clips
from miga.errors import run_command
from miga.files import file_sha256, write_json
from miga.paths import check_run_name, fold_checkpoint_dir, folds_csv, image_level_curves_png, image_level_report_json
from miga.rgb_store import RgbStore, open_rgb_store, pictures_sha256
from miga.training.checkpoint import check_fingerprint, load_checkpoint, save_checkpoint
from miga.training.config import PROFILE_NAMES, override, parse_overrides, training_settings
from miga.training.optimizer import build_optimizer
from miga.training.precision import autocast
from miga.training.resources import choose_device
from miga.training.seeding import make_deterministic, seed_torch
from miga.training.versions import device_name
from models.image_level.config import PROFILES, ImageLevelConfig
from models.image_level.entry import build_network, to_input
from models.image_level.frames import FrameTransform, keypoint_joints
from oof.metrics import scores
from recordings.rgb_store import build_rgb_store

EPOCHS, START_RATE = 20, 1e-3
HELD_OUT = 0.2  # of the clips of each class
PATIENCE, FACTOR = 2, 0.5  # epochs without a smaller loss before the rate falls, and by how much
STOP_AFTER = 4  # epochs without a smaller loss
# Frames of a clip, evenly spread; 0 = every frame, as the report. Small profiles must end in a minute or two.
FRAMES = {"smoke": 2, "demo": 6, "bench": 12, "paper": 0}
NAME = "papers/image_level_report"


def split_by_clip(label: NDArray, share: float = HELD_OUT, seed: int = 0) -> NDArray[np.bool_]:
    """(N,) which clips are held out: of each class this share, rounded, at least one where it has two or more."""
    held_out = np.zeros(len(label), bool)
    rng = np.random.default_rng(seed)
    for number in np.unique(label):
        rows = rng.permutation(np.flatnonzero(label == number))
        count = max(round(share * len(rows)), 1) if len(rows) > 1 else 0
        held_out[rows[:count]] = True
    return held_out


class Frames(Dataset):
    """Single frames of clips.

    Args:
        rows: (N,) row numbers in the clip table.
        per_clip: frames of a clip, evenly spread; 0 = every frame.
    """

    def __init__(self, clips: Clips, store: RgbStore, rows: NDArray, config: ImageLevelConfig, per_clip: int):
        self.clips, self.store, self.label = clips, store, clips.table.label.to_numpy()
        self.transform = FrameTransform(clips.skeleton, config.train_size, config.test_size)
        self.samples = [(int(row), int(index)) for row in rows for index in self._indexes(int(row), per_clip)]

    def _indexes(self, row: int, per_clip: int) -> NDArray[np.int64]:
        count = self.clips.num_frames_of(row)
        if not per_clip or count <= per_clip:
            return np.arange(count)
        return (2 * np.arange(per_clip) + 1) * count // (2 * per_clip)

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, number: int) -> dict[str, torch.Tensor]:
        row, index = self.samples[number]
        views = self.transform.frames(self.store, row, self.clips.joints_of(row), np.array([index]))
        sample = {key: torch.from_numpy(np.ascontiguousarray(value[0])) for key, value in views.items()}
        return {**sample, "label": torch.tensor(int(self.label[row]))}


@dataclass
class History:
    """A row an epoch: loss and accuracy of the training and of the held-out frames, and the learning rate."""

    rows: list[dict[str, float]] = dataclasses.field(default_factory=list)

    @property
    def losses(self) -> list[float]:
        return [row["held_out_loss"] for row in self.rows]

    @property
    def is_over(self) -> bool:
        """Whether the least loss lies STOP_AFTER epochs back, or all epochs are done."""
        return bool(self.rows) and (
            len(self.rows) >= EPOCHS or len(self.rows) - 1 - int(np.argmin(self.losses)) >= STOP_AFTER
        )


def train_epoch(
    network: nn.Module, optimizer: torch.optim.Optimizer, batches: DataLoader, config: ImageLevelConfig,
    device: torch.device,
) -> tuple[float, float]:  # fmt: skip
    """One pass over all frames; mean loss and accuracy."""
    network.train()
    loss_sum, right, seen = 0.0, 0, 0
    for batch in batches:
        batch = {key: value.to(device) for key, value in batch.items()}
        with autocast(config.precision, device):
            logits = network(**to_input(batch, True))
            loss = nn.functional.cross_entropy(logits, batch["label"])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss_sum, seen = loss_sum + float(loss.detach()) * len(logits), seen + len(logits)
        right += int((logits.detach().argmax(1) == batch["label"]).sum())
    return loss_sum / seen, right / seen


@torch.no_grad()
def logits_of(
    network: nn.Module, batches: DataLoader, config: ImageLevelConfig, device: torch.device
) -> tuple[NDArray, NDArray, float]:
    """Logits (N, K) and labels (N,) of all frames, and the seconds that reading and predicting took."""
    network.eval()
    found, labels, start = [], [], time.monotonic()
    for batch in batches:
        batch = {key: value.to(device) for key, value in batch.items()}
        with autocast(config.precision, device):
            found.append(network(**to_input(batch, False)).float().cpu())
        labels.append(batch["label"].cpu())
    return torch.cat(found).numpy(), torch.cat(labels).numpy(), time.monotonic() - start


def fit_as_reported(
    network: nn.Module, train: Frames, held_out: Frames, config: ImageLevelConfig, folder: Path, fingerprint: dict,
    device: torch.device,
) -> History:  # fmt: skip
    """Train until the loss of the held-out frames says so; resumes from the last whole epoch."""
    optimizer = build_optimizer(network, config)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=FACTOR, patience=PATIENCE)
    history, checkpoint = History(), folder / "checkpoint.pt"
    if checkpoint.exists():
        state = load_checkpoint(checkpoint, device)
        check_fingerprint(checkpoint, state["fingerprint"], fingerprint)
        network.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        plateau.load_state_dict(state["plateau"])
        history = History(state["history"])
    test_batches = DataLoader(held_out, config.batch_size, num_workers=config.num_workers)
    while not history.is_over:
        epoch = len(history.rows)
        seed_torch(config.seed, epoch)
        order = np.random.default_rng([config.seed, epoch]).permutation(len(train)).tolist()
        batches = DataLoader(train, config.batch_size, sampler=order, drop_last=True, num_workers=config.num_workers)
        rate = optimizer.param_groups[0]["lr"]
        loss, accuracy = train_epoch(network, optimizer, batches, config, device)
        logits, label, _ = logits_of(network, test_batches, config, device)
        held_loss = float(nn.functional.cross_entropy(torch.from_numpy(logits), torch.from_numpy(label)))
        right = float((logits.argmax(1) == label).mean())
        history.rows.append({"rate": rate, "loss": loss, "accuracy": accuracy, "held_out_loss": held_loss,
                             "held_out_accuracy": right})  # fmt: skip
        plateau.step(held_loss)
        print(
            f"  epoch {epoch + 1}: loss {loss:.3f}, held-out frames: loss {held_loss:.3f}, top-1 {right:.3f}",
            flush=True,
        )
        parts = {"model": network.state_dict(), "optimizer": optimizer.state_dict(), "plateau": plateau.state_dict()}
        save_checkpoint(checkpoint, {**parts, "history": history.rows, "fingerprint": fingerprint})
    return history


def draw_curves(run: str, history: History) -> Path:
    """Loss and accuracy of training and held-out frames over the epochs (the report's figure 3)."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    from miga.figures import write_png

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.5))
    epochs = np.arange(1, len(history.rows) + 1)
    for axis, name in zip(axes, ("loss", "accuracy"), strict=True):
        axis.plot(epochs, [row[name] for row in history.rows], label="training frames")
        axis.plot(epochs, [row[f"held_out_{name}"] for row in history.rows], label="held-out frames, same people")
        axis.set_xlabel("epoch")
        axis.set_ylabel(name)
        axis.legend()
    path = image_level_curves_png(run)
    write_png(figure, path)
    plt.close(figure)
    return path


def settings_as_reported(profile: ImageLevelConfig) -> ImageLevelConfig:
    """The network of a profile with the report's training: no warm-up, no average of weights, no frozen passes."""
    return dataclasses.replace(
        profile, epochs=EPOCHS, min_steps=0, optimizer="amsgrad", lr=START_RATE, lr_batch_size=profile.batch_size,
        weight_decay=0.0, warmup_epochs=0.0, clip_norm=0.0, ema_decay=0.0, frozen_epochs=0, colour=0.0,
        crop_area_min=1.0, flip=False, train_size=profile.test_size,
    )  # fmt: skip


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0], allow_abbrev=False)
    parser.add_argument("--run", required=True, type=check_run_name)
    parser.add_argument("--profile", default="demo", choices=PROFILE_NAMES)
    parser.add_argument("--frames-per-clip", type=int, help="evenly spread; 0 = every frame (default: the profile's)")
    parser.add_argument("--device", help="cpu or cuda (default: cuda when there is one)")
    parser.add_argument("--overwrite", action="store_true", help="train again")
    args, unknown = parser.parse_known_args(argv)
    config = override(settings_as_reported(PROFILES[args.profile]), parse_overrides(unknown))
    per_clip = FRAMES[args.profile] if args.frames_per_clip is None else args.frames_per_clip
    build_rgb_store(args.run, config.picture_size)
    clips, store, folds = (
        load_clips(args.run, "track1"),
        open_rgb_store(args.run, config.picture_size),
        load_folds(args.run),
    )
    rows = clips.rows_of(folds.clip_id[folds.fold >= 0].to_numpy())
    rows = rows[clips.has_frames[rows]]
    is_held_out = split_by_clip(clips.table.label.to_numpy()[rows], seed=config.seed)
    train, held_out = (Frames(clips, store, rows[which], config, per_clip) for which in (~is_held_out, is_held_out))
    device = choose_device(args.device)
    folder = fold_checkpoint_dir(args.run, NAME, 0).parent
    folder.mkdir(parents=True, exist_ok=True)
    fingerprint = {
        "config": training_settings(config), "frames_per_clip": per_clip, "folds": file_sha256(folds_csv(args.run)),
        "clips": clips.meta["content_sha256"], "pictures": pictures_sha256(args.run, config.picture_size),
    }  # fmt: skip
    if args.overwrite:
        (folder / "checkpoint.pt").unlink(missing_ok=True)
    print(f"image level as reported: {len(train)} training and {len(held_out)} held-out frames of the same people")
    make_deterministic(device)
    seed_torch(config.seed)
    network = build_network(clips.num_classes, len(keypoint_joints(clips.skeleton)), config).to(device)
    history = fit_as_reported(network, train, held_out, config, folder, fingerprint, device)
    logits, label, seconds = logits_of(network, DataLoader(held_out, config.batch_size), config, device)
    found = scores(logits, label)
    write_json(
        image_level_report_json(args.run),
        {
            "frames": len(held_out), "top1": found["top1"], "top5": found["top5"], "epochs": len(history.rows),
            "frames_per_second": len(held_out) / seconds, "device": device_name(device), "history": history.rows,
            "split": "a fifth of the clips of each class, of the same people as those trained on",
        },
    )  # fmt: skip
    draw_curves(args.run, history)
    print(
        f"frames: top-1 {found['top1']:.3f}, top-5 {found['top5']:.3f}, {len(held_out) / seconds:.0f} frames a second"
    )


if __name__ == "__main__":
    run_command(main)
