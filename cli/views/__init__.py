"""What a person sees of a job: its progress, its outcome, its statistics."""
