"""What ML-Metadata tells of models: what they were made of, and what they were tested on."""
