"""The search for the settings that reach most on the validation split."""
