"""Benchmarks of CloudKon: what a task costs in time, CPU and calls."""
