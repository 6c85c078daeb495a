"""Traces, metrics, and counts of requests: what is told besides the ledger."""
