"""What single nodes have to say of what they left, as Markdown."""
