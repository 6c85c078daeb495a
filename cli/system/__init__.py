"""This machine, as commands use it: paths, processes, environment variables."""
