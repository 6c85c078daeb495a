"""The pictures of the README and the docs: a real run of mixed tasks, and what a person sees of it."""
