"""Writes pictures of one slice: a picture of x264 under a header of ours, and pictures that skip all blocks."""

from dataclasses import dataclass, replace
from typing import Self

from animoto.h264.bitstream import BitReader, BitWriter, escape, split_units, unescape
from animoto.h264.parameter_sets import INITIAL_QP, OUR_LAYOUT, PADDING_IDS, PPS_UNIT, SPS_UNIT, Layout, read_layout
from animoto.h264.slice_header import SliceHeader, SliceType

_SLICE_UNIT, _IDR_UNIT = 1, 5
_HEAD_BYTES = 32
"""More than any slice header takes."""


@dataclass(frozen=True, slots=True)
class IntraPicture:
    """A picture that x264 encoded by itself. It can be put at any position of a stream.

    The new header is made to end on the same bit of its byte as the old one, so that the bytes after it, some
    hundred thousand, are neither shifted nor escaped again.
    """

    qp: int
    deblocking: tuple[int, int, int]
    lead: bytes
    """The first bytes, unescaped; the slice's data begins at bit lead_bits of them."""
    lead_bits: int
    tail: bytes
    """The bytes after them, escaped; what stands before them is no zero."""

    @classmethod
    def parse(cls, stream: bytes) -> Self:
        """Read a byte stream of parameter sets and one IDR slice, as x264 writes it; raises ValueError for others."""
        units: dict[int, list[bytes]] = {}
        for unit in split_units(stream):
            units.setdefault(unit[0] & 31, []).append(unit)
        match units.get(SPS_UNIT), units.get(PPS_UNIT), units.get(_IDR_UNIT), units.get(_SLICE_UNIT):
            case [sps], [pps], [coded], None:
                return cls._cut(coded, read_layout(sps, pps))
        raise ValueError(f"The encoder made {sorted(units)}, not one IDR picture of one slice.")

    @classmethod
    def _cut(cls, coded: bytes, layout: Layout) -> Self:
        cut = min(_HEAD_BYTES, len(coded))
        while cut < len(coded) and coded[cut - 1] <= 3:  # not between zeros and the 3 that escapes them, nor after it
            cut += 1
        lead = unescape(coded[1:cut])
        bits = BitReader(lead)
        header = SliceHeader.read(bits, layout, referenced=True, idr=True)
        if header.type is not SliceType.I:
            raise ValueError("The encoder made no intra picture.")
        return cls(header.qp, header.deblocking, lead, bits.position, coded[cut:])

    @property
    def size_bytes(self) -> int:
        return len(self.lead) + len(self.tail)

    def unit(self, frame_num: int, order_count: int, idr: int | None = None) -> bytes:
        """The picture at this place of a stream, as an IDR picture or an ordinary one, referenced by others."""
        header = SliceHeader(SliceType.I, 0, frame_num, order_count, True, idr, self.qp, self.deblocking)
        bits = _align(header, self.lead_bits % 8)
        reader = BitReader(self.lead, self.lead_bits)
        left = 8 * len(self.lead) - self.lead_bits
        bits.u(left, reader.u(left))
        return _unit_header(header) + escape(bits.written()) + self.tail


def hold(macroblocks: int, frame_num: int, order_count: int) -> bytes:
    """A picture of P_Skip macroblocks: it repeats the latest reference, to the bit (8.4.1.1)."""
    return _write_skipped(SliceType.P, macroblocks, frame_num, order_count, referenced=True)


def fade(macroblocks: int, frame_num: int, order_count: int) -> bytes:
    """A picture of B_Skip macroblocks: it blends its two references by their distance in order count (8.4.2.3.1)."""
    return _write_skipped(SliceType.B, macroblocks, frame_num, order_count, referenced=False)


def _write_skipped(kind: SliceType, macroblocks: int, frame_num: int, order_count: int, *, referenced: bool) -> bytes:
    header = SliceHeader(kind, 0, frame_num, order_count, referenced, None, INITIAL_QP)
    bits = BitWriter()
    header.write(bits, OUR_LAYOUT)
    bits.ue(macroblocks)  # mb_skip_run, and nothing after it (7.3.4)
    return _unit_header(header) + escape(bits.end())


def _align(header: SliceHeader, bit: int) -> BitWriter:
    """The header, padded by the length of its parameter set's number so that it ends on this bit of a byte."""
    for number in PADDING_IDS:
        bits = BitWriter()
        replace(header, parameters=number).write(bits, OUR_LAYOUT)
        if bits.length % 8 == bit:
            return bits
    raise ValueError(f"No header of ours ends on bit {bit}.")


def _unit_header(header: SliceHeader) -> bytes:
    """nal_ref_idc and nal_unit_type (7.3.1)."""
    return bytes([header.referenced << 6 | (_SLICE_UNIT if header.idr is None else _IDR_UNIT)])
