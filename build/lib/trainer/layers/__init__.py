"""The arithmetic that networks share: parallel MLPs, gates, embeddings; no settings here."""
