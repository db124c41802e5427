"""The data contract, and what models are built from by it."""
