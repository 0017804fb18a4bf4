"""People and organizations: users, parties, holders, wallets, keys."""
