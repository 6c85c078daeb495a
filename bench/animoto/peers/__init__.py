"""Other programs that make the same videos: where they are, in which versions, and how they are run."""
