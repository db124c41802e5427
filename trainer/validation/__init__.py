"""What is measured after every epoch, what is remembered of it, and which epoch is kept."""
