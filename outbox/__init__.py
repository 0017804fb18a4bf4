"""Effects are rows first: jobs written with the business row, run at least once."""
