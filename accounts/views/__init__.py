"""HTML and JSON edges of accounts that are not part of the API."""
