"""Whether this machine's PyAV has the encoder that videos are made with."""

from av.codec import Codec, codecs_available


def has_x264() -> bool:
    """PyAV's wheels contain libx264; a PyAV built against a system's ffmpeg may lack it."""
    return "libx264" in codecs_available and Codec("libx264", "w").is_encoder
