"""What the work earned: usage, accruals, settlements, payouts, statements."""
