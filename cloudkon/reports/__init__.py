"""What is read back from the ledger: statistics, results, errors, and why a job does not move."""
