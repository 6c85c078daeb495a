"""The messages on the queues: their encoding, their seal, their sending, and dead letters."""
