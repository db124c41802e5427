"""Presets: one YAML file per system of the papers; ``model: {preset: NAME}`` names it.

A file has the sections `paper` (where the system comes from, and its equations), `model` and
`training` (the paper's settings where they are known), the latter two as in an experiment file.
A new preset is a new file. `mtlx.pipeline.experiment.presets` reads them.
"""
