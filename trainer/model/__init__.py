"""The model as a whole: its parts wired by the settings."""
