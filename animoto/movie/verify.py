"""Reads a finished file back and compares it with what was meant, so that no incomplete video is ever stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Self

import av
from av import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from animoto.video import VideoError

_BOX_HEADER = 8
_SOUND_SLACK_S = Fraction(1, 20)
"""A little more than two AAC frames."""


def check_mp4(path: Path, frames: int, fps: int, *, sound: bool) -> None:
    """Raises VideoError unless the file has exactly these frames, one after another, from the first instant on."""
    _expect(
        "boxes, the index before the pictures",
        [box for box in _boxes(path) if box in {"moov", "mdat"}],
        ["moov", "mdat"],
    )
    with av.open(str(path)) as container:
        [video], tracks = container.streams.video, container.streams.audio
        _expect("tracks of sound", len(tracks), int(sound))
        frame_ticks = Fraction(1, fps) / (video.time_base or 1)
        _check_frames([_Times.of(packet) for packet in container.demux(video) if packet.size], frames, frame_ticks)
        length = Fraction(frames, fps)
        _expect("seconds of video", _length(video), length)
        for track in tracks:
            if abs(_length(track) - length) > _SOUND_SLACK_S:
                raise VideoError(f"The sound lasts {float(_length(track)):.3f} s, the video {float(length):.3f} s.")


def _length(stream: Stream) -> Fraction:
    return (stream.duration or 0) * (stream.time_base or Fraction(1))


@dataclass(frozen=True, slots=True)
class _Times:
    """The times of a frame in ticks of its track: integers, because thousands are compared."""

    shown: int
    decoded: int
    length: int
    is_key: bool

    @classmethod
    def of(cls, packet: "Packet[VideoStream]") -> Self:
        if packet.pts is None or packet.dts is None or packet.duration is None:
            raise VideoError("The file that was written has a frame without its times.")
        return cls(packet.pts, packet.dts, packet.duration, packet.is_keyframe)


def _check_frames(times: list[_Times], frames: int, frame_ticks: Fraction) -> None:
    _expect("frames", len(times), frames)
    _expect("a first frame", times[0].is_key, wanted=True)
    _expect("times", sorted(each.shown for each in times), [frame * frame_ticks for frame in range(frames)])
    _expect("lengths of frames", {each.length for each in times}, {frame_ticks})
    decoded = [each.decoded for each in times]
    _expect("times to decode", decoded, sorted(set(decoded)))


def _boxes(path: Path) -> Iterator[str]:
    """The names of the file's boxes, in order (ISO/IEC 14496-12, 4.2)."""
    size = path.stat().st_size
    with path.open("rb") as file:
        at = 0
        while at < size:
            file.seek(at)
            header = file.read(2 * _BOX_HEADER)
            length = int.from_bytes(header[:4], "big")
            yield header[4:8].decode("latin-1")
            at += int.from_bytes(header[8:16], "big") if length == 1 else length or size


def _expect(name: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise VideoError(
            f"The file that was written has other {name} than it should: {found!s:.200} and not {wanted!s:.200}."
        )
