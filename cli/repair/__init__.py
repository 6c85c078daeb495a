"""Commands that act on jobs: retry, cancel, pause, resume, dead letters, sweeping, exporting what failed."""
