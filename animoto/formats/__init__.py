"""Reads what picture files say besides their pixels: their parts, their kind, when they were taken."""
