"""Draws the pictures of the benchmark and serves them on loopback."""
