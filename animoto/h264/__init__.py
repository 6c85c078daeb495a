"""Writes an H.264 stream by hand: bit strings, parameter sets, slices and the timeline of frames (ITU-T H.264)."""
