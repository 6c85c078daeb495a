"""The coded stream of a video: parameter sets, and an access unit for each frame."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import assert_never

from animoto.h264.parameter_sets import PADDING_IDS, Screen, picture_parameter_set, sequence_parameter_set
from animoto.h264.slices import IntraPicture, fade, hold
from animoto.h264.timeline import CodedFrame, Kind, Pace, timeline

_START_CODE = b"\0\0\0\1"


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """A frame as a byte stream (annex B), and its times in frames."""

    data: bytes
    shown_at: int
    decoded_at: int
    """No later than shown_at, and one more with each unit; below 0 where frames are reordered."""
    is_key: bool


@dataclass(frozen=True, slots=True)
class CodedVideo:
    """What either engine makes: the parameter sets as a byte stream, and the frames in decoding order."""

    parameters: bytes
    units: Iterator[AccessUnit]


def synthesised(pictures: Iterable[IntraPicture], screen: Screen, pace: Pace) -> CodedVideo:
    """The video of pictures that were coded once each; holds few of them at a time."""
    sets = (sequence_parameter_set(screen, reordered=pace.fade_frames > 0), *map(picture_parameter_set, PADDING_IDS))
    return CodedVideo(b"".join(_START_CODE + unit for unit in sets), _units(pictures, screen, pace))


def _units(pictures: Iterable[IntraPicture], screen: Screen, pace: Pace) -> Iterator[AccessUnit]:
    delay = 1 if pace.fade_frames else 0  # a fade's second picture is decoded a frame before the fade is shown
    for decoded, frame in enumerate(timeline(pictures, pace)):
        data = _START_CODE + _coded(frame, screen)
        yield AccessUnit(data, frame.shown_at, decoded - delay, frame.kind is Kind.IDR)


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
