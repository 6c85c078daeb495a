"""What a video shall be (VideoSpec), and what the finished file is (VideoReport)."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

from animoto.h264.parameter_sets import Screen
from animoto.h264.timeline import MAX_FADE_FRAMES, Timing
from cloudkon.errors import CloudKonError, InputError

MAX_SECONDS = 600
"""The longest that one picture is shown."""
MAX_TITLE_CHARACTERS = 200
_EDGE, _MAX_EDGE = 16, 7680
_MAX_FPS = 120
_QPS = range(10, 52)


class VideoError(CloudKonError):
    """A video could not be made, or the file is wrong. No file is left behind."""


class Transition(StrEnum):
    CUT = "cut"
    FADE = "fade"


class Engine(StrEnum):
    SYNTH = "synth"  # codes each picture once, and writes the frames of holds and fades as bits
    ENCODE = "encode"  # draws and encodes every frame
    AUTO = "auto"  # synth, wherever it can


@dataclass(frozen=True, slots=True)
class VideoSpec:
    """Describes a video. Raises InputError if no engine, or not the one that is asked for, can make it."""

    width: int = 1920
    height: int = 1080
    fps: int = 30
    seconds: float = 1.0
    """How long each picture is shown, the fade to the next one included."""
    transition: Transition = Transition.FADE
    fade_s: float = 0.5
    pan_zoom: bool = False
    title: str | None = None
    """Written over the first picture for as long as that is shown."""
    audio: Path | None = None
    """A file of sound, cut or continued by silence to the video's length."""
    engine: Engine = Engine.AUTO
    qp: int = 23
    """The quantiser (H.264, 7.4.5): less is better and larger; six less is about twice as large."""

    def __post_init__(self) -> None:
        self._check_screen()
        if not (self.seconds * self.fps >= 1 and self.seconds <= MAX_SECONDS):
            raise InputError(
                f"A picture stands for a frame at least and {MAX_SECONDS} s at most, not {self.seconds} s."
            )
        if self.transition is Transition.FADE and not 0 <= self.fade_s <= MAX_SECONDS:
            raise InputError(f"A fade takes 0 to {MAX_SECONDS} s, not {self.fade_s} s.")
        if self.qp not in _QPS:
            raise InputError(f"The quantiser qp is {_QPS[0]} to {_QPS[-1]}, not {self.qp}.")
        if self.title is not None and len(self.title) > MAX_TITLE_CHARACTERS:
            raise InputError(f"A title has at most {MAX_TITLE_CHARACTERS} characters; this one has {len(self.title)}.")
        if self.engine is Engine.SYNTH and (reason := self._beyond_synth):
            raise InputError(f"engine=synth can't make {reason}; use engine=auto or engine=encode.")

    def _check_screen(self) -> None:
        size = f"{self.width}x{self.height}"
        if self.width % 2 or self.height % 2:
            raise InputError(f"A video's width and height are even numbers, not {size}.")
        if not (_EDGE <= self.width <= _MAX_EDGE and _EDGE <= self.height <= _MAX_EDGE):
            raise InputError(f"A video is {_EDGE} to {_MAX_EDGE} pixels wide and high, not {size}.")
        if not 1 <= self.fps <= _MAX_FPS:
            raise InputError(f"A video has 1 to {_MAX_FPS} frames a second, not {self.fps}.")
        if self.screen.level is None:
            raise InputError(f"No level of H.264 carries {size} at {self.fps} frames a second; make it smaller.")

    @property
    def _beyond_synth(self) -> str | None:
        if self.pan_zoom:
            return "pictures that pan and zoom"
        if self.timing.longest_fade > MAX_FADE_FRAMES:
            return f"fades of more than {MAX_FADE_FRAMES} frames"
        return None

    @property
    def used_engine(self) -> Engine:
        """The engine that makes it: auto is resolved to one of the other two."""
        if self.engine is Engine.AUTO:
            return Engine.ENCODE if self._beyond_synth else Engine.SYNTH
        return self.engine

    @property
    def screen(self) -> Screen:
        return Screen(self.width, self.height, self.fps)

    @property
    def timing(self) -> Timing:
        """When pictures begin and how long they fade. Durations are taken as written: 0.1 is exactly a tenth."""
        fade = Fraction(str(self.fade_s)) * self.fps if self.transition is Transition.FADE else 0
        return Timing(self.fps, Fraction(str(self.seconds)), int(fade + Fraction(1, 2)))


@dataclass(frozen=True, slots=True)
class VideoReport:
    """What the finished file holds, as read back from it."""

    pictures: int
    frames: int
    duration_s: float
    size_bytes: int
    engine: Engine
