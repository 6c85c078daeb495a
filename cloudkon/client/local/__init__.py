"""Jobs of a client, and of `run LOCAL`, in one process: its queues, its ledger, its worker."""
