"""Memory, SQLite and a folder in place of AWS: product code, as ill-mannered as the real thing."""
