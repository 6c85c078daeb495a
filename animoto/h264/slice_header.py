"""The header of a slice that is a whole picture (ITU-T H.264, 7.3.3)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from animoto.h264.bitstream import BitReader, BitWriter
from animoto.h264.parameter_sets import Layout


class SliceType(IntEnum):
    """The values which say that all slices of the picture are of this type (table 7-6)."""

    P = 5
    B = 6
    I = 7  # noqa: E741 - the standard's name

    @property
    def list_flags(self) -> int:
        """num_ref_idx_active_override_flag, and one ref_pic_list_modification_flag for each list of references."""
        return {SliceType.P: 2, SliceType.B: 3, SliceType.I: 0}[self]


@dataclass(frozen=True, slots=True)
class SliceHeader:
    type: SliceType
    parameters: int
    """The number of the picture parameter set."""
    frame_num: int
    order_count: int
    referenced: bool
    idr: int | None
    """What tells an IDR picture from the next (idr_pic_id); None for other pictures."""
    qp: int
    deblocking: tuple[int, int, int] = (1, 0, 0)
    """Kind (1: none), and two offsets."""

    def write(self, bits: BitWriter, layout: Layout) -> None:
        bits.ue(0)  # first_mb_in_slice
        bits.ue(self.type)
        bits.ue(self.parameters)
        bits.u(layout.frame_num_bits, self.frame_num % (1 << layout.frame_num_bits))
        if self.idr is not None:
            bits.ue(self.idr)
        if layout.order_count_bits:
            bits.u(layout.order_count_bits, self.order_count % (1 << layout.order_count_bits))
        if self.type is SliceType.B:
            bits.u(1, 1)  # direct_spatial_mv_pred_flag
        if self.type is not SliceType.I:
            bits.u(self.type.list_flags, 0)
        if self.referenced:
            bits.u(1 if self.idr is None else 2, 0)  # dec_ref_pic_marking: a sliding window
        bits.se(self.qp - layout.initial_qp)
        if layout.deblocking_control:
            bits.ue(self.deblocking[0])
            for offset in self.deblocking[1:] if self.deblocking[0] != 1 else ():
                bits.se(offset)

    @classmethod
    def read(cls, bits: BitReader, layout: Layout, *, referenced: bool, idr: bool) -> Self:
        """Read a header that write made, or x264 for an intra picture. Raises ValueError for any other."""
        _expect_zero(bits.ue(), "first_mb_in_slice")
        kind = SliceType(5 + bits.ue() % 5)
        parameters = bits.ue()
        frame_num = bits.u(layout.frame_num_bits)
        idr_number = bits.ue() if idr else None
        order_count = bits.u(layout.order_count_bits)
        if kind is SliceType.B:
            _expect_zero(1 - bits.u(1), "temporal direct prediction")
        if kind is not SliceType.I:
            _expect_zero(bits.u(kind.list_flags), "its own number or order of references")
        if referenced:
            _expect_zero(bits.u(2 if idr else 1), "dec_ref_pic_marking")
        qp = layout.initial_qp + bits.se()
        deblocking = _read_deblocking(bits) if layout.deblocking_control else (0, 0, 0)
        return cls(kind, parameters, frame_num, order_count, referenced, idr_number, qp, deblocking)


def _read_deblocking(bits: BitReader) -> tuple[int, int, int]:
    kind = bits.ue()
    return (kind, 0, 0) if kind == 1 else (kind, bits.se(), bits.se())


def _expect_zero(found: int, name: str) -> None:
    if found:
        raise ValueError(f"The slice header has {name}, which none of ours has.")
