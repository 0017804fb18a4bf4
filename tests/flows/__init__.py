"""Whole stories in a browser, on a stack of real parts."""
