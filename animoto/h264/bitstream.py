"""How an H.264 stream is written: bits, Exp-Golomb codes and emulation prevention (ITU-T H.264, 7.2, 9.1, 7.4.1)."""

import re
from collections.abc import Iterator

_RESERVED = re.compile(rb"\x00\x00(?=[\x00-\x03])")
_START_CODE = re.compile(rb"\x00\x00\x01")


class BitWriter:
    """Collects the bits of a header or a small slice, most significant first."""

    def __init__(self) -> None:
        self._value = 0
        self.length = 0

    def u(self, width: int, value: int) -> None:
        """A number in this many bits; raises ValueError if it needs more."""
        if not 0 <= value < 1 << width:
            raise ValueError(f"{value} does not fit in {width} bits.")
        self._value = self._value << width | value
        self.length += width

    def ue(self, value: int) -> None:
        """An unsigned Exp-Golomb code (9.1): as many zeros as value + 1 has bits after its first, then value + 1."""
        self.u(2 * (value + 1).bit_length() - 1, value + 1)

    def se(self, value: int) -> None:
        """A signed Exp-Golomb code (9.1.1): 0, 1, -1, 2, -2 and so on."""
        self.ue(2 * value - 1 if value > 0 else -2 * value)

    def end(self) -> bytes:
        """Close with rbsp_trailing_bits (7.3.2.11), a one and zeros up to the byte, and return the bytes."""
        self.u(1, 1)
        self.u(-self.length % 8, 0)
        return self.written()

    def written(self) -> bytes:
        """What was written; raises ValueError unless it ends with a byte."""
        if self.length % 8:
            raise ValueError(f"{self.length} bits are no whole bytes.")
        return self._value.to_bytes(self.length // 8, "big")


class BitReader:
    """Reads what BitWriter wrote; raises ValueError beyond the end."""

    def __init__(self, data: bytes, position: int = 0) -> None:
        self._value = int.from_bytes(data, "big")
        self._length = 8 * len(data)
        self.position = position

    def u(self, width: int) -> int:
        left = self._length - self.position - width
        if left < 0:
            raise ValueError("The bits end before their time.")
        self.position += width
        return self._value >> left & (1 << width) - 1

    def ue(self) -> int:
        zeros = 0
        while not self.u(1):
            zeros += 1
        return (1 << zeros | self.u(zeros)) - 1

    def se(self) -> int:
        code = self.ue()
        return (code + 1) // 2 if code % 2 else -code // 2

    def more(self) -> bool:
        """Whether anything but the trailing bits is left (more_rbsp_data, 7.2)."""
        left = self._length - self.position
        return self._value & (1 << left) - 1 != 1 << left - 1


def escape(payload: bytes) -> bytes:
    """Set a 3 between two zeros and a byte below 4, so that no start code appears within a unit (7.4.1)."""
    return _RESERVED.sub(b"\x00\x00\x03", payload)


def unescape(payload: bytes) -> bytes:
    """Undo escape."""
    return payload.replace(b"\x00\x00\x03", b"\x00\x00")


def split_units(stream: bytes) -> Iterator[bytes]:
    """The NAL units of a byte stream (annex B), without start codes and the zeros around them."""
    starts = [match.end() for match in _START_CODE.finditer(stream)]
    for start, end in zip(starts, [*(start - 3 for start in starts[1:]), len(stream)], strict=True):
        yield stream[start:end].rstrip(b"\x00")
