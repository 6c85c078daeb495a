"""Examines a stage in AWS; reads only, and every check stands alone."""
