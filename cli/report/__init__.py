"""The report of a job: one page that needs nothing but a browser."""
