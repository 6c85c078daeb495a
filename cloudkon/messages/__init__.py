"""What travels on queues: its encoding, its sending, and the dead letters."""
