"""Video Swin Transformer: attention in shifted windows of space and time, on RGB clips."""
