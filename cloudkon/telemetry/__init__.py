"""What is told besides the ledger: traces, metrics, and counts of requests."""
