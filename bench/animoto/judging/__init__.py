"""Looks at finished videos and says which results count."""
