"""The rows of the ledger (jobs, bundles, results, workers) and the rules by which they change; without any I/O."""
