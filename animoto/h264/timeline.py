"""Decides which picture each frame shows and how it is coded. Pure, and reads one picture ahead.

    presentation   I0 h h h h  f f f  I1 h h h  f f f  I2 h h h     I intra, h hold, f fade
    decoding       I0 h h h h  I1 f f f  h h h  I2 f f f  h h h

A picture fades in before its own start, so that it stands alone at each of its seconds' beginnings.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import chain, pairwise
from typing import Generic, TypeVar

T = TypeVar("T")

ORDER_STEP = 2
"""From one frame's order count to the next: one for each of its fields, as decoders expect it."""
MAX_FADE_FRAMES = 127 // ORDER_STEP - 1
"""The distance of a blend's two references counts to 127 at most (8.4.1.2.3)."""
SEEK_SECONDS = 10
"""About the longest time between two IDR pictures, which are the points that players can seek to."""


class Kind(StrEnum):
    IDR = "idr"  # a picture that decoding can begin with
    INTRA = "intra"  # a picture that is needed before it is shown, for the fade that leads to it
    HOLD = "hold"  # the frame before, again; it takes that frame's place as a reference, for the fade to come
    FADE = "fade"  # a blend of the hold before and the intra picture after


@dataclass(frozen=True, slots=True)
class Timing:
    """How long pictures are shown. fade_frames is the length asked for; fade_of tells what a picture really gets."""

    fps: int
    seconds: Fraction
    fade_frames: int = 0

    def start(self, number: int) -> int:
        """The frame at which a picture begins, rounded to the nearest, so that errors do not add up."""
        return int(number * self.seconds * self.fps + Fraction(1, 2))

    def fade_of(self, number: int) -> int:
        """How many of a picture's last frames blend into the next: all but one at most."""
        return min(self.fade_frames, self.start(number + 1) - self.start(number) - 1)

    @property
    def longest_fade(self) -> int:
        """The most frames that fade_of gives to any picture."""
        return min(self.fade_frames, -int(-self.seconds * self.fps // 1) - 1)


@dataclass(frozen=True, slots=True)
class CodedFrame(Generic[T]):
    """A frame of the stream, in its place in decoding order."""

    kind: Kind
    picture: T
    shown_at: int
    """The frame's number in presentation order."""
    frame_num: int
    """How many references were decoded since the IDR picture (7.4.3)."""
    order_count: int
    """Its place in presentation order since the IDR picture (8.2.1)."""
    idr: int | None = None
    """For an IDR picture, the number that differs from the previous one's."""

    @property
    def referenced(self) -> bool:
        """Whether later frames may be made from it."""
        return self.kind is not Kind.FADE


def timeline(pictures: Iterable[T], timing: Timing) -> Iterator[CodedFrame[T]]:
    """The frames of a video, in decoding order; draws one picture ahead."""
    coder: _Coder[T] = _Coder()
    fade, seekable, longest = 0, 0, SEEK_SECONDS * timing.fps
    for number, (picture, following) in enumerate(_with_next(pictures)):
        start, end = timing.start(number), timing.start(number + 1)
        if fade:
            yield from coder.fade(picture, start, fade)
        else:
            yield coder.idr(picture, start)
            seekable = start
        fade = timing.fade_of(number) if following else 0
        if start + 1 - seekable >= longest:
            fade = max(0, min(fade, end - start - 2))  # leaves a frame to seek to
        for at in range(start + 1, end - fade):
            if at - seekable < longest:
                yield coder.hold(picture, at)
            else:
                yield coder.idr(picture, at)
                seekable = at


def _with_next(items: Iterable[T]) -> Iterator[tuple[T, bool]]:
    """Each item, and whether another follows."""
    for (item,), following in pairwise(chain(((item,) for item in items), [()])):
        yield item, bool(following)


class _Coder(Generic[T]):
    """Counts references, and places in presentation order, since the IDR picture."""

    def __init__(self) -> None:
        self._references = 0
        self._order = 0
        self._idrs = 0

    def idr(self, picture: T, at: int) -> CodedFrame[T]:
        self._references = self._order = 0
        self._idrs += 1
        return self._frame(Kind.IDR, picture, at, 0, self._idrs % 2)

    def hold(self, picture: T, at: int) -> CodedFrame[T]:
        self._order += ORDER_STEP
        return self._frame(Kind.HOLD, picture, at, self._order)

    def fade(self, picture: T, at: int, frames: int) -> Iterator[CodedFrame[T]]:
        """The picture to come, and the frames that lead to it."""
        before = self._order
        self._order += ORDER_STEP * (frames + 1)
        yield self._frame(Kind.INTRA, picture, at, self._order)
        for step in range(1, frames + 1):
            yield self._frame(Kind.FADE, picture, at - frames + step - 1, before + ORDER_STEP * step)

    def _frame(self, kind: Kind, picture: T, at: int, order: int, idr: int | None = None) -> CodedFrame[T]:
        frame = CodedFrame(kind, picture, at, self._references, order, idr)
        self._references += frame.referenced
        return frame
