"""Brings pictures of any kind into frames of a video: decoding, orientation, colour, layout, titles."""
