"""PoseC3D with a second head that regresses the word vector of the class name (MiGA 2023 track 1, first place)."""
