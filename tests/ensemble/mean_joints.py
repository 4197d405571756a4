"""A small entry for tests: a classifier of a clip's mean joints, written into a folder beside those of models/."""

ENTRY = """
from dataclasses import dataclass
from torch import nn
from miga.training.config import FitConfig
from miga.training.assembly import Assembly, Entry
from models.command.entry import train_entry
from miga.training.losses import cross_entropy
from miga.training.weights import load_weights

@dataclass(frozen=True)
class Config(FitConfig):
    weights: str = ""
    sizes: tuple[int, ...] = (8,)
    test_batch_size: int = 8

PROFILES = {"smoke": Config(epochs=10, batch_size=8, lr=0.05, milestones=(8,), warmup_epochs=1)}

class Net(nn.Module):
    HEADS = ("head",)
    def __init__(self, size, num_classes):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(66, size), nn.BatchNorm1d(size), nn.ReLU())
        self.head = nn.Linear(size, num_classes)
    def forward(self, joints):
        return self.head(self.backbone(joints))

def to_input(batch, is_train):
    return {"joints": batch["joints"]}

def assemble(clips, config):
    network = Net(config.sizes[0], clips.num_classes)
    if config.weights:
        load_weights(network, config.weights)
    def joints(row):
        return (clips.joints_of(row).mean((0, 1)).reshape(-1) / 1000).astype("float32")
    def train_view(row, rng):
        return {"joints": joints(row)}
    def test_views(row):
        return {"joints": joints(row)[None]}
    return Assembly(network, config, train_view, test_views, to_input, cross_entropy)

def name(config, profile):
    return "mean_joints_a"

def check(config):
    pass

ENTRY = Entry("mean_joints", ("joints",), PROFILES, name, assemble, check)

def main(argv):
    train_entry(ENTRY, argv)
"""
NAME = "mean_joints_a"  # folder and variant
RUN = ["--run", "tiny", "--jobs", "1"]
