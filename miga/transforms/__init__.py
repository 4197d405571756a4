"""From a clip to the arrays a network takes: sampling, cropping, mirroring, heatmaps."""
