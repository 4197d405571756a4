"""RGBPose-Conv3D: pictures and heatmaps in two pathways that exchange features."""
