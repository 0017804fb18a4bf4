"""Pages of the market: explore, a work, checkout, orders, licenses."""
