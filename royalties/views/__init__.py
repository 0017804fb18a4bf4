"""Pages about money: the dashboard, its rows, statements, payouts and reported uses."""
