"""Fetches pictures from servers and buckets, and refuses addresses that a task must not reach."""
