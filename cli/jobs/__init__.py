"""Commands that read jobs: their list, statistics, results, failures, and following them."""
