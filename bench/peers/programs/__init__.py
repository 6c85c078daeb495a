"""What runs in the peers' own environment: the standard library, the peers' packages, and bench.peers.work."""
