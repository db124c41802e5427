"""How a version comes into the folder that is served."""
