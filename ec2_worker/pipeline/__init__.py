"""The way of a bundle through a worker, from the received message to its deletion."""
