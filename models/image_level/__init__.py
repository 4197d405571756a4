"""The image-level baseline: EfficientNetV2-B0 on single frames, beside the keypoints of the frame."""
