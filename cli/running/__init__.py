"""Commands that start jobs: run on this machine or over a queue, and submit to a stage."""
