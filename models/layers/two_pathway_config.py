"""Settings that every network on two pathways has; each adds its own and its profiles."""

import dataclasses
from dataclasses import dataclass
from typing import Any, TypeVar

from miga.training.config import EntryConfig
from miga.transforms.heatmap_input import check_input
from models.layers.two_pathway import heatmap_size


@dataclass(frozen=True)
class TwoPathwayConfig(EntryConfig):
    """The fields of EntryConfig are those of the whole network; `rgb_` and `pose_` beside them those of its stages.

    Published values: pyskl, configs/rgbpose_conv3d/{rgb_only,pose_only,rgbpose_conv3d}.py.
    """

    input: str = "joint"  # joint | limb: which heatmaps the pose pathway sees
    rgb_frames: int = 8  # pictures a view
    speed_ratio: int = 4  # heatmap frames per picture
    picture_size: int = 256  # pixels; side of the stored pictures
    train_size: int = 224  # pixels; side of a picture after the random crop; heatmaps: / (2 * pool_stride)
    test_size: int = 256  # pixels; side of a picture at test and before the random crop
    sigma: float = 0.7  # of the Gaussians in the whole network and at test, in heatmap pixels
    rgb_base: int = 64  # channels of the RGB stem; everything scales with it
    pose_base: int = 32  # channels of the pose stem
    rgb_blocks: tuple[int, ...] = (3, 4, 6, 3)  # bottlenecks a stage
    pose_blocks: tuple[int, ...] = (4, 6, 3)  # bottlenecks a stage
    pool_stride: int = 2  # of the RGB stem's max-pool; 1 gives small pictures twice as fine features
    laterals: bool = True  # False = two networks side by side, averaged
    detach_laterals: bool = False  # no gradients through the laterals
    lateral_drop: float = 0.0  # probability that a training batch goes without the laterals of one direction
    colour: float = 0.0  # how far training changes a clip's colours; see `miga.transforms.rgb_clip.recolour`
    static: float = 1.0  # share of a view's mean picture that is kept; see `miga.transforms.rgb_clip.normalise`
    dropout: float = 0.5  # before the classifiers
    rgb_epochs: int = 180  # of the stage rgb: 18 epochs over a data set repeated 10 times
    rgb_min_steps: int = 0  # min_steps of the stage rgb
    rgb_batch_size: int = 12  # clips a forward pass of the stage rgb
    rgb_lr: float = 0.15  # learning rate of the stage rgb for rgb_lr_batch_size clips a step
    rgb_lr_batch_size: int = 96  # the batch that rgb_lr is stated for
    rgb_weight_decay: float = 1e-4  # weight_decay of the stage rgb
    pose_epochs: int = 180  # of the stage pose: 18 epochs over a data set repeated 10 times
    pose_min_steps: int = 0  # min_steps of the stage pose
    pose_batch_size: int = 16  # clips a forward pass of the stage pose
    pose_lr: float = 0.2  # learning rate of the stage pose for pose_lr_batch_size clips a step
    pose_lr_batch_size: int = 128  # the batch that pose_lr is stated for
    pose_weight_decay: float = 3e-4  # weight_decay of the stage pose
    pose_sigma: float = 0.6  # of the Gaussians in step 2
    num_test_clips: int = 10  # test views in time (NoC)
    flip_test: bool = False  # each test view also mirrored
    test_batch_size: int = 2  # clips a forward pass at test, all views together
    pretrained: str = "none"  # what the stage rgb starts from: none | imagenet (timm's weights) | a file, 3D or 2D
    weights_rgb: str = ""  # a checkpoint of the RGB pathway alone, that its stage starts from in place of `pretrained`
    weights_pose: str = ""  # a checkpoint of the pose pathway alone, that its stage starts from
    weights: str = ""  # a checkpoint of the whole network, which then has no stages

    @property
    def pose_frames(self) -> int:
        return self.rgb_frames * self.speed_ratio

    @property
    def trunk(self) -> dict[str, Any]:
        """The arguments of `TwoPathwayBackbone` that are settings."""
        names = (
            *("rgb_base", "pose_base", "rgb_blocks", "pose_blocks", "speed_ratio", "pool_stride"),
            *("laterals", "detach_laterals", "lateral_drop"),
        )
        return {name: getattr(self, name) for name in names}

    def heatmap_size(self, picture_size: int) -> int:
        return heatmap_size(picture_size, self.pool_stride)


Config = TypeVar("Config", bound=TwoPathwayConfig)


def stage_config(config: Config, stage: str) -> Config:
    """The settings with which one pathway is trained alone; stage is rgb or pose. Both end on a cosine."""
    names = ("epochs", "min_steps", "batch_size", "lr", "lr_batch_size", "weight_decay")
    own = {name: getattr(config, f"{stage}_{name}") for name in names}
    return dataclasses.replace(config, milestones=(), heads_only=False, **own)  # heads_only speaks of the whole network


def check_two_pathway_config(config: TwoPathwayConfig) -> None:
    """Refuse settings that do not fit together.

    Raises:
        InputError: an input that is neither joint nor limb, or a picture size without heatmaps that match.
    """
    check_input(config.input)
    for size in (config.train_size, config.test_size):
        config.heatmap_size(size)
