"""What every command does of its own process: imports, log, stops, a full disk."""
