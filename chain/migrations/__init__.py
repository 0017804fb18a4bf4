"""Schema of the chain tables."""
