"""M3CN: the two pathways of RGBPose-Conv3D with Res2Net bottlenecks, 26w x 4s.

Source: M2HEN (2nd place, MiGA 2024), section 3.1 and equation 2. Where it is silent (laterals, frames, kernels in
time), RGBPose-Conv3D is followed.
"""

from models.layers.res2net3d import Res2NetBottleneck3d
from models.layers.two_pathway_net import TwoPathwayNet


class M3CN(TwoPathwayNet):
    """`TwoPathwayNet` with Res2Net bottlenecks: 41.958 M parameters for 22 joints and 32 classes."""

    def __init__(self, pose_channels: int, num_classes: int, dropout: float = 0.5, **backbone) -> None:
        super().__init__(pose_channels, num_classes, dropout, block=Res2NetBottleneck3d, **backbone)
