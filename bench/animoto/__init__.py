"""Measures videos of pictures beside other programs that make the same ones."""
