"""The acceptance story: from a picture to a paid royalty, over HTTP with real parts."""
