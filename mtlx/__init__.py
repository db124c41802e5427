"""Multi-task, multi-domain ranking as gated TFX pipelines; its floors lie beside this folder."""
