from hypothesis import settings

# No deadline: a busy machine is no bug. Seeded: a run that was green stays green until the code changes.
settings.register_profile("cloudkon", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("cloudkon")
