"""What a person gives to run and submit: files, pipes, templates and their values, read and checked."""
