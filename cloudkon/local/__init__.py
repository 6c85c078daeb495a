"""The ports over memory, SQLite and folders, which fail in the same ways as AWS does."""
