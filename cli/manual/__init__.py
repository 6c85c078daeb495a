"""Manual pages, made of the help of the commands."""
