"""The recipe of every entry of the paper profile, resolved: python -m pytest -n 0 tests/models/test_paper_recipes.py

One table: what a change of a default, a scaling rule or a profile would silently move. Sources stand in the config of
each folder; rates are of one step, samples are clips a step.
"""

import importlib

import pytest
from torch import nn

from miga.training.config import FitConfig, override, parse_overrides
from miga.training.optimizer import parameter_groups, scaled_lr
from models.layers.two_pathway_config import TwoPathwayConfig, stage_config
from pipeline import entries_of

SGD, NESTEROV, ADAMW, AMSGRAD = "sgd", "sgd nesterov", "adamw", "amsgrad"
# part: optimizer, rate, samples, epochs, weight decay, milestones ((): cosine), warm-up epochs, clip of the gradient
GRAPH = {
    "gecn": (NESTEROV, 0.05, 32, 110, 5e-4, (90, 100), 5, 0),
    "ehct": (NESTEROV, 0.025, 64, 140, 4e-4, (110, 120), 5, 0),
}
HEATMAPS = {
    "posec3d": (SGD, 0.05, 32, 240, 3e-4, (), 0, 40),
    "semantic": (SGD, 0.4 / 6, 32, 100, 3e-4, (), 0, 0),
}
RGB_STAGE = (SGD, 0.01875, 12, 180, 1e-4, (), 0, 40)
POSE_STAGE = (SGD, 0.025, 16, 180, 3e-4, (), 0, 40)
MERGED = (SGD, 0.0075 * 6 / 48, 6, 20, 1e-4, (12, 16), 0, 40)
WHOLE = {
    **GRAPH,
    **HEATMAPS,
    "rgb_slowonly": (SGD, 0.15, 96, 180, 1e-4, (), 0, 40),
    "rgbpose": MERGED,
    "m3cn": MERGED,
    "prototype": (SGD, 0.0075, 10, 30, 1e-4, (8, 22), 0, 40),
    "video_swin": (ADAMW, 1e-3, 64, 30, 0.02, (), 2.5, 0),
    "image_level": (AMSGRAD, 1e-4, 64, 75, 0.0, (), 0, 0),
}
ALL_DECAYED = set(WHOLE) - {"image_level"}  # its decay is 0
ENTRIES = [
    entry for entry in entries_of("paper") if importlib.import_module(f"models.{entry[0]}.entry").ENTRY.is_network
]


def resolved(config: FitConfig) -> tuple:
    optimizer = f"{config.optimizer}{' nesterov' if config.nesterov else ''}"
    samples = config.batch_size * config.accumulation
    rest = (config.weight_decay, config.milestones, config.warmup_epochs, config.clip_norm)
    return (optimizer, pytest.approx(scaled_lr(config)), samples, config.epochs, *rest)


def config_of(folder: str, arguments: tuple[str, ...]) -> FitConfig:
    module = importlib.import_module(f"models.{folder}.config")
    config = override(module.PROFILES["paper"], parse_overrides(list(arguments)))
    return module.recipe_of_size(config) if hasattr(module, "recipe_of_size") else config


@pytest.mark.parametrize(("folder", "name", "arguments"), ENTRIES, ids=[name for _, name, _ in ENTRIES])
def test_the_recipe_of_an_entry(folder, name, arguments):
    config = config_of(folder, arguments)
    assert resolved(config) == WHOLE[folder]
    assert config.decay_norms_and_biases == (folder in ALL_DECAYED)
    assert config.ema_decay == 0 and config.min_steps == 0 and config.momentum == 0.9 and config.seed == 0
    if isinstance(config, TwoPathwayConfig):
        assert resolved(stage_config(config, "rgb")) == RGB_STAGE
        assert resolved(stage_config(config, "pose")) == POSE_STAGE
        assert (config.rgb_frames, config.pose_frames, config.num_test_clips) == (8, 32, 10)


@pytest.mark.parametrize(("size", "decay"), [("T", 0.02), ("S", 0.02), ("B", 0.05)])
def test_the_recipe_of_a_swin_size(size, decay):
    assert resolved(config_of("video_swin", ("--size", size)))[4] == decay


@pytest.mark.parametrize("folder", sorted(ALL_DECAYED - {"video_swin"}))
def test_norms_and_biases_are_decayed_as_in_the_parents_code(folder):
    config = config_of(folder, ())
    network = nn.Sequential(nn.Conv1d(2, 3, 1), nn.BatchNorm1d(3))
    (group,) = parameter_groups(network, config)
    assert group["weight_decay"] == config.weight_decay and len(group["params"]) == 4


def test_swin_spares_norms_and_tables_alone():
    module = importlib.import_module("models.video_swin.model")
    network = module.VideoSwin(5, 16, (1, 2), (1, 2), window=(2, 4, 4))
    config = config_of("video_swin", ())
    spared = {id(p) for g in parameter_groups(network, config) if g["weight_decay"] == 0 for p in g["params"]}
    for name, parameter in network.named_parameters():
        assert (id(parameter) in spared) == ("norm" in name or "relative_position_bias_table" in name), name


def test_small_profiles_spare_norms_and_biases():
    for folder in WHOLE:
        profiles = importlib.import_module(f"models.{folder}.config").PROFILES
        assert not any(profiles[name].decay_norms_and_biases for name in ("smoke", "demo", "bench"))
