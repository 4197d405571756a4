"""What of a recording track 2 looks at: a stream makes tokens of frames, a detector looks at the tokens of some.

A stream has: `name`; `settings`, how its extractor is fitted; `made_of()`, hashes of its data; `shows(video)`, whether
there is anything of a video to look at; `network()`, the extractor; `draw(trimmed, row, rng)`, one training clip;
`to_input(batch)`, the network's input; `loss(outputs, batch, epoch)`, what the extractor minimises;
`describe(network, video, view, device)`, the tokens of a video.

Source: MiGA 2024 track 2 (NPU), section 3: two streams, each described by a pathway of RGBPose-Conv3D.
"""

import hashlib
import json
from typing import Any

from miga.clips import Clips
from miga.training.config import plain, training_settings
from spotting.config import SpottingConfig
from spotting.early_stream import EarlyStream
from spotting.pose_stream import PoseStream
from spotting.rgb_stream import RgbStream

Stream = PoseStream | RgbStream | EarlyStream
STREAMS: dict[str, Any] = {"joint": PoseStream, "rgb": RgbStream, "early": EarlyStream}
# The settings of the skeleton stream that say how clips are cut, labelled and turned into tokens, in every stream.
OF_CLIPS = ("clip_len", "overlap", "tokens", "sampling", "repeats", "background_share", "augmentation", "num_views")


def stream_settings(config: SpottingConfig, name: str) -> dict:
    """What of the settings the tokens of a stream depend on."""
    if name == "joint":
        return training_settings(config.extractor)
    of_clips = plain({field: getattr(config.extractor, field) for field in OF_CLIPS})
    if name == "rgb":
        return {**training_settings(config.rgb), "clips": of_clips}
    begins_with = {"joint": stream_settings(config, "joint"), "rgb": stream_settings(config, "rgb")}
    return {**training_settings(config.early), **begins_with}


def stream_key(config: SpottingConfig, name: str) -> str:
    """Name of the stream's folders: with other settings, tokens are other files beside these."""
    settings = json.dumps(stream_settings(config, name), sort_keys=True)
    return f"{name}_{hashlib.sha256(settings.encode()).hexdigest()[:8]}"


def open_stream(clips: Clips, config: SpottingConfig, name: str) -> Stream:
    """Raises InputError where the pictures are not there."""
    stream: Stream = STREAMS[name](clips, config)
    return stream
