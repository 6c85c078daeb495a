"""How a camera was held: the one tag of EXIF that a video needs, read without trust in the rest."""

import struct
from enum import IntEnum

_TAG = 0x0112
_SHORT = 3
_ENTRY_BYTES = 12
_BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}


class Orientation(IntEnum):
    """What was done to the picture as it is stored. EXIF 2.32, 4.6.4 A, Orientation."""

    UPRIGHT = 1
    MIRRORED = 2
    TURNED_180 = 3
    FLIPPED = 4
    TRANSPOSED = 5
    TURNED_LEFT = 6
    TRANSVERSED = 7
    TURNED_RIGHT = 8

    @property
    def swaps_sides(self) -> bool:
        return self >= Orientation.TRANSPOSED


def read_orientation(exif: bytes) -> Orientation:
    """The orientation in a block of EXIF; UPRIGHT if it tells none, or makes no sense."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = _BYTE_ORDERS.get(tiff[:4])
    if order is None:
        return Orientation.UPRIGHT
    try:
        return Orientation(_first_directory(tiff, order))
    except (struct.error, ValueError):
        return Orientation.UPRIGHT


def _first_directory(tiff: bytes, order: str) -> int:
    (at,) = struct.unpack_from(order + "I", tiff, 4)
    (entries,) = struct.unpack_from(order + "H", tiff, at)
    for entry in range(at + 2, at + 2 + entries * _ENTRY_BYTES, _ENTRY_BYTES):
        tag, kind, count, value = struct.unpack_from(order + "HHIH", tiff, entry)
        if (tag, kind, count) == (_TAG, _SHORT, 1):
            return int(value)
    return Orientation.UPRIGHT
