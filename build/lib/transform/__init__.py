"""Floor 0: what the data means (data contract) and how it becomes numbers (preprocessing)."""
