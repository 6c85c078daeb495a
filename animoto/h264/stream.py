"""The coded stream of a video: parameter sets, and an access unit for each frame."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import assert_never

from animoto.h264.parameter_sets import PADDING_IDS, Screen, picture_parameter_set, sequence_parameter_set
from animoto.h264.slices import IntraPicture, fade, hold
from animoto.h264.timeline import CodedFrame, Kind, Timing, timeline

_START_CODE = b"\0\0\0\1"


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """A frame as a byte stream (annex B), and its times in frames."""

    data: bytes
    shown_at: int
    decoded_at: int
    """At most shown_at, and one more with each unit. Negative at the start where frames are reordered."""
    is_key: bool


@dataclass(frozen=True, slots=True)
class CodedVideo:
    """What either engine makes: the parameter sets as a byte stream, and the frames in decoding order."""

    parameters: bytes
    units: Iterator[AccessUnit]


def synthesise(pictures: Iterable[IntraPicture], screen: Screen, timing: Timing) -> CodedVideo:
    """Build the video from pictures that were encoded once each. Few of them are in memory at a time."""
    sets = (sequence_parameter_set(screen, reordered=timing.fade_frames > 0), *map(picture_parameter_set, PADDING_IDS))
    return CodedVideo(b"".join(_START_CODE + unit for unit in sets), _units(pictures, screen, timing))


def _units(pictures: Iterable[IntraPicture], screen: Screen, timing: Timing) -> Iterator[AccessUnit]:
    delay = 1 if timing.fade_frames else 0  # a fade's second picture is decoded a frame before the fade is shown
    for decoded, frame in enumerate(timeline(pictures, timing)):
        data = _START_CODE + _write_frame(frame, screen)
        yield AccessUnit(data, frame.shown_at, decoded - delay, frame.kind is Kind.IDR)


def _write_frame(frame: CodedFrame[IntraPicture], screen: Screen) -> bytes:
    match frame.kind:
        case Kind.IDR | Kind.INTRA:
            return frame.picture.unit(frame.frame_num, frame.order_count, frame.idr)
        case Kind.HOLD:
            return hold(screen.macroblocks, frame.frame_num, frame.order_count)
        case Kind.FADE:
            return fade(screen.macroblocks, frame.frame_num, frame.order_count)
        case _:
            assert_never(frame.kind)
