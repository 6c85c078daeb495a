"""The coded stream of a video: parameter sets, and an access unit for each frame."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import assert_never

from animoto.bitstream import unescape
from animoto.parameter_sets import PADDING_IDS, Screen, picture_parameter_set, sequence_parameter_set
from animoto.slices import IntraPicture, fade, hold
from animoto.timeline import CodedFrame, Kind, Pace, timeline


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """A frame's NAL unit, and its times in frames."""

    unit: bytes
    shown_at: int
    decoded_at: int
    is_key: bool


@dataclass(frozen=True, slots=True)
class ParameterSets:
    sps: bytes
    pps: tuple[bytes, ...]

    @classmethod
    def of(cls, screen: Screen, pace: Pace) -> "ParameterSets":
        reordered = pace.fade_frames > 0
        return cls(sequence_parameter_set(screen, reordered=reordered), tuple(map(picture_parameter_set, PADDING_IDS)))

    def configuration(self) -> bytes:
        """The decoder configuration record of an MP4 file (ISO/IEC 14496-15, 5.3.3.1); lengths have 4 bytes."""
        sets = _sized(self.sps) + bytes([len(self.pps)]) + b"".join(map(_sized, self.pps))
        return bytes([1, *unescape(self.sps)[1:4], 0xFC | 3, 0xE0 | 1]) + sets


def _sized(unit: bytes) -> bytes:
    return len(unit).to_bytes(2, "big") + unit


def access_units(pictures: Iterable[IntraPicture], screen: Screen, pace: Pace) -> Iterator[AccessUnit]:
    """The stream's frames in decoding order; a stream with fades shows each a frame later than it could be decoded."""
    delay = 1 if pace.fade_frames else 0
    for decoded, frame in enumerate(timeline(pictures, pace)):
        yield AccessUnit(_coded(frame, screen), frame.shown_at, decoded - delay, frame.kind is Kind.IDR)


def _coded(frame: CodedFrame[IntraPicture], screen: Screen) -> bytes:
    match frame.kind:
        case Kind.IDR | Kind.INTRA:
            return frame.picture.unit(frame.frame_num, frame.order_count, frame.idr)
        case Kind.HOLD:
            return hold(screen.macroblocks, frame.frame_num, frame.order_count)
        case Kind.FADE:
            return fade(screen.macroblocks, frame.frame_num, frame.order_count)
        case _:
            assert_never(frame.kind)


def byte_stream(sets: ParameterSets, units: Iterable[AccessUnit]) -> Iterator[bytes]:
    """The stream as a decoder takes it, a frame at a time, with start codes (annex B)."""
    before = b"".join(b"\0\0\0\1" + unit for unit in (sets.sps, *sets.pps))
    for unit in units:
        yield before + b"\0\0\0\1" + unit.unit
        before = b""
