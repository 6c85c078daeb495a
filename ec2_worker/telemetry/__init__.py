"""What a worker counts and tells: counters for each job, metrics, traces."""
