"""What is written down about jobs, bundles and workers, and who may change it; decided purely."""
