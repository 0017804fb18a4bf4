"""What pages of several apps show of a work: badge, pictures, origin story."""
