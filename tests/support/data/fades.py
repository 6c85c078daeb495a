"""What a decoder makes of a fade, by the standard: the reference for what our streams ask of it."""

from animoto.h264.timeline import ORDER_STEP


def fade_weight(step: int, frames: int) -> int:
    """How many 64ths of the picture to come the nth of a fade's frames has (8.4.2.3.1).

    Exact where the number of frames is a power of two less one, as in half a second at 30 frames a second;
    elsewhere up to a 64th off.
    """
    ahead, distance = ORDER_STEP * step, ORDER_STEP * (frames + 1)
    return (ahead * ((16384 + distance // 2) // distance) + 32) >> 8
