"""Where a picture of any size lies in a frame: as large as it can be, whole, in the middle."""

from dataclasses import dataclass
from enum import StrEnum


class Background(StrEnum):
    BLUR = "blur"  # the picture itself, covering the frame, far out of focus
    BLACK = "black"


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a frame; all four are even, for colour has half the resolution of brightness (4:2:0)."""

    x: int
    y: int
    width: int
    height: int


def letterbox(width: int, height: int, frame_width: int, frame_height: int) -> Box:
    """The largest box of the picture's proportions in a frame of even size; at least two pixels wide and high."""
    if width * frame_height >= height * frame_width:
        box_width, box_height = frame_width, _even(frame_width * height / width, frame_height)
    else:
        box_width, box_height = _even(frame_height * width / height, frame_width), frame_height
    return Box((frame_width - box_width) // 4 * 2, (frame_height - box_height) // 4 * 2, box_width, box_height)


def cover(width: int, height: int, frame_width: int, frame_height: int) -> tuple[int, int]:
    """The smallest even size of the picture's proportions that covers a frame."""
    scale = max(frame_width / width, frame_height / height)
    return max(frame_width, 2 * round(width * scale / 2)), max(frame_height, 2 * round(height * scale / 2))


def _even(size: float, most: int) -> int:
    return min(most, max(2, 2 * round(size / 2)))
