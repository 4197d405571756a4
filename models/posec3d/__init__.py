"""PoseC3D: a 3D convolutional network on volumes of joint or limb heatmaps."""
