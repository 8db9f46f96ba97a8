"""Pictures of metric frames: frame in, matplotlib Axes out."""
