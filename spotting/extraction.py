"""Stage 1 of a fold: a stream's extractor, trained on trimmed gestures, and the tokens that it makes of videos."""

import json
from typing import Any

import numpy as np
from torch import nn

from miga.clips import Clips
from miga.files import replacing, write_json
from miga.paths import spotting_tokens_json, spotting_tokens_npy
from miga.training.checkpoint import check_fingerprint, load_checkpoint
from miga.training.dataset import TrainSamples
from miga.training.fit import fit
from miga.training.seeding import seed_torch
from spotting.config import EarlyConfig
from spotting.early_stream import EarlyStream
from spotting.job import SpottingJob
from spotting.streams import Stream, stream_key
from spotting.trimmed import TrimmedClips
from spotting.views import video_view

SEED_OF = {"joint": 1, "rgb": 3, "early": 4}  # 2 is the detector's


def train_extractor(clips: Clips, stream: Stream, video_ids: list[str], job: SpottingJob) -> nn.Module:
    """Classify short pieces of the gestures of `video_ids`, and of what lies between them."""
    config = stream.settings
    length = config.clip_len if isinstance(config, EarlyConfig) else 0
    trimmed = TrimmedClips(clips, video_ids, job.config.extractor, length)
    seed_torch(config.seed, job.fold, SEED_OF[stream.name])
    network: Any = stream.network()
    if isinstance(stream, EarlyStream):
        weights = {name: job.extractor_folder(name) / "weights.pt" for name in ("joint", "rgb")}
        stream.start(network, {name: load_checkpoint(path)["model"] for name, path in weights.items()})
    return fit(
        network,
        TrainSamples(
            np.arange(len(trimmed.labels)),
            trimmed.labels,
            lambda row, rng: stream.draw(trimmed, row, rng),
            config.seed,
            None if clips.mirror is None else np.append(clips.mirror, clips.num_classes),  # and background
        ),
        config,
        prepare=stream.to_input,
        loss_fn=stream.loss,
        folder=job.extractor_folder(stream.name),
        fingerprint=job.extractor_fingerprint(stream.name, stream.made_of()),
        title=f"spotting {stream.name} extractor fold {job.fold}",
        device=job.device,
        clip_ids=trimmed.names,
    )


def make_tokens(stream: Stream, parts: dict[str, list[str]], model: Any, job: SpottingJob) -> None:
    """Write the tokens of videos: all views of those a detector is trained on, plain and mirrored of the others.

    Test videos with nothing to look at have none.
    """
    config, key = job.config.extractor, stream_key(job.config, stream.name)
    made_with, fingerprint = (
        spotting_tokens_json(job.run, key, job.fold),
        job.extractor_fingerprint(stream.name, stream.made_of()),
    )
    described = {part: ids for part, ids in parts.items() if not (config.is_cross_fitted and part == "train")}
    described["test"] = [video_id for video_id in parts["test"] if stream.shows(video_id)]
    for part, video_ids in described.items():
        is_trained_on = part == ("held_out" if config.is_cross_fitted else "train")
        for video_id in video_ids:
            for number in range(job.num_views if is_trained_on else job.num_test_views):
                path = spotting_tokens_npy(job.run, key, job.fold, number, video_id)
                if not path.exists():
                    view = video_view(number, config.seed, stream.clips.may_mirror)
                    tokens = stream.describe(model, video_id, view, job.device)
                    with replacing(path) as temporary:
                        np.save(temporary, tokens, allow_pickle=False)
    write_json(made_with, fingerprint)


def has_tokens(stream: str, made_of: dict[str, str], job: SpottingJob) -> bool:
    """Whether the tokens of this fold are all there; refuses those made of other recordings."""
    path = spotting_tokens_json(job.run, stream_key(job.config, stream), job.fold)
    if not path.exists():
        return False
    check_fingerprint(path, json.loads(path.read_text()), job.extractor_fingerprint(stream, made_of))
    return True
