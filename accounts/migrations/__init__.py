"""Schema changes of `accounts`."""
