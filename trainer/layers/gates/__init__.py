"""Gates of single numbers, from 0 to a factor; those that weigh experts are in `layers.gate`."""
