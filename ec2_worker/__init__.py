"""The worker: assembly.py wires it, worker.py runs it, the rooms hold its parts."""
