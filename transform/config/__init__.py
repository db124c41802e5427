"""What every room stands on: settings, registries of names, the nearest name."""
