"""The life of a worker's process: threads, shutdown, supervisor, and the instance that it runs on."""
