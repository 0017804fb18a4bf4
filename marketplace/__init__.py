"""Works for sale: listings, offers, orders, licenses, delivery."""
