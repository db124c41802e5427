"""What can be known to be wrong before TensorFlow is loaded: without it, Beam and TFX."""
