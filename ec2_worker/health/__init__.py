"""Whether a worker is well, what it says of itself, and when it stops a job that only fails."""
