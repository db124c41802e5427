"""What a task of the package runs, and what it hands back."""
