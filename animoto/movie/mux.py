"""Put a coded stream, and sound, into an MP4 file whose index comes first."""

import io
from collections.abc import Iterable, Iterator
from contextlib import closing
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
from av import Packet
from av.container import OutputContainer
from av.video.stream import VideoStream

from animoto.h264.stream import AccessUnit, CodedVideo
from animoto.movie.audio import AudioTrack


def write_mp4(video: CodedVideo, fps: int, audio: Path | None, path: Path) -> int:
    """Write the file and return how many frames it was given; raises InputError if the sound can't be read."""
    ticks = str(512 * fps)  # a frame is a whole number of them, in the index and in the track
    options = {
        "movflags": "+faststart",
        "movie_timescale": ticks,
        "video_track_timescale": ticks,
        "fflags": "+bitexact",  # no names of versions, no time of day
    }
    first = next(video.units)
    with av.open(str(path), "w", format="mp4", options=options) as container:
        stream = _add_video_stream(container, video.parameters + first.data, fps)
        units = chain([first], video.units)
        if audio is None:
            return _write_units(container, stream, units, Fraction(1, fps))
        with closing(AudioTrack(container, audio)) as sound:
            return _write_units(container, stream, _with_sound(container, units, sound, fps), Fraction(1, fps))


def _add_video_stream(container: OutputContainer, start: bytes, fps: int) -> VideoStream:
    """Add a stream; its description is read from the first bytes of the stream itself."""
    with av.open(io.BytesIO(start), format="h264") as described:
        stream = container.add_stream_from_template(described.streams.video[0], opaque=True)
    stream.time_base = Fraction(1, fps)
    return stream


def _write_units(
    container: OutputContainer, stream: VideoStream, units: Iterable[AccessUnit], frame_s: Fraction
) -> int:
    frames = 0
    for unit in units:
        packet = Packet(unit.data)
        packet.stream, packet.time_base = stream, frame_s
        packet.pts, packet.dts, packet.duration = unit.shown_at, unit.decoded_at, 1
        packet.is_keyframe = unit.is_key
        container.mux(packet)
        frames += 1
    return frames


def _with_sound(
    container: OutputContainer, units: Iterable[AccessUnit], sound: AudioTrack, fps: int
) -> Iterator[AccessUnit]:
    """Pass the frames on and write the sound up to each of them, so that neither piles up in memory."""
    frames = 0
    for unit in units:
        yield unit
        frames += 1
        container.mux(list(sound.until(Fraction(frames, fps))))
    container.mux(list(sound.end(Fraction(frames, fps))))
