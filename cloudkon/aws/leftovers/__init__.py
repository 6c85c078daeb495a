"""What a stage has left behind: each module finds a kind of it, and removes it."""
