"""What runs a user's function: the registry, the context it sees, programs, and the handlers shipped here."""
