"""What a person sets once in cloudkon.toml or pyproject.toml, instead of typing it each time."""
