"""The embedded cloud of this machine, and the demonstrations that run on it."""
