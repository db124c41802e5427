"""The SavedModel: what it answers, refuses, and says of itself."""
