"""One installation: its names, its images and machines, its examination and what it may leave behind."""
