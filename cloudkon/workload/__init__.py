"""What a file of lines means: lines, tasks, rejected lines, and how it is cut into ranges and bundles."""
