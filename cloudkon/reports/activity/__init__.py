"""What happened when, and on which worker: sums over time that take the same memory for ten tasks and for 10^9."""
