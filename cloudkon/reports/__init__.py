"""Reports that are worked out from the ledger: statistics, results, errors, and what a job waits for."""
