"""Body, hands and face of a person in a video, for recordings that come without a skeleton (docs/pose.md)."""
