"""A small entry for tests: a classifier of a clip's mean joints, written into a folder beside those of models/."""

ENTRY = """
from dataclasses import dataclass
from torch import nn
from training.config import FitConfig
from training.fold import fit_fold, predict_fold
from training.folds import parse_train_arguments, run_folds
from training.weights import load_weights

@dataclass(frozen=True)
class Config(FitConfig):
    weights: str = ""
    sizes: tuple[int, ...] = (8,)
    test_batch_size: int = 8

NEEDS = ("joints",)
PROFILES = {"smoke": Config(epochs=10, batch_size=8, lr=0.05, milestones=(8,), warmup_epochs=1)}

class Net(nn.Module):
    HEADS = ("head",)
    def __init__(self, size, num_classes):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(66, size), nn.BatchNorm1d(size), nn.ReLU())
        self.head = nn.Linear(size, num_classes)
    def forward(self, joints):
        return self.head(self.backbone(joints))

def prepare(batch):
    return {"joints": batch["joints"]}

def train_fold(clips, train_rows, predict_rows, job):
    model = Net(job.config.sizes[0], clips.num_classes)
    if job.config.weights:
        load_weights(model, job.config.weights)
    def joints(row):
        return (clips.joints_of(row).mean((0, 1)).reshape(-1) / 1000).astype("float32")
    model = fit_fold(
        model, clips, train_rows, job, lambda row, rng: {"joints": joints(row)}, prepare=prepare,
        loss_fn=lambda logits, batch, epoch: nn.functional.cross_entropy(logits, batch["label"]),
    )
    return predict_fold(model, clips, predict_rows, job, lambda row: {"joints": joints(row)[None]}, prepare=prepare)

def main(argv):
    args, config = parse_train_arguments(argv, "test", PROFILES)
    run_folds(args, "mean_joints_a", config, train_fold, NEEDS)
"""
NAME = "mean_joints_a"  # folder and variant
RUN = ["--run", "tiny", "--jobs", "1"]
