"""Which devices and machines train, and what they agree on."""
