"""RGBPose-Conv3D: SlowOnly-R50 on pictures beside a shallower one on heatmaps, with laterals both ways.

Source: PoseConv3D (arXiv 2104.13586), section 3.4. The trunk is shared: `models.layers.two_pathway`.
"""

from models.layers.two_pathway_net import TwoPathwayNet


class RGBPoseConv3D(TwoPathwayNet):
    """`TwoPathwayNet` with SlowOnly bottlenecks: 36.084 M parameters for 22 joints and 32 classes."""
