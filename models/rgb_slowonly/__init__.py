"""RGB SlowOnly-R50: a 3D convolutional network on the pictures of a clip."""
