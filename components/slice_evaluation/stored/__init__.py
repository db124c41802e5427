"""What an evaluation writes: its metrics as TFMA stores them, and curves beside them."""
