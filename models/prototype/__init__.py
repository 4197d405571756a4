"""Prototype learning on two pathways: RGB and pose that attend to each other (MiGA 2024 track 1, first place)."""
