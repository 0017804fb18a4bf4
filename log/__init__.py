"""The transparency log: append, sequence, tiles, checkpoint, time-stamp, witness."""
