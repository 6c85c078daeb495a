"""How a list of values, or a table, becomes tasks: templates with places, and rows that fill them."""
