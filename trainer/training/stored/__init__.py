"""How a training's arrays lie on disk, and how they are written beside the steps."""
