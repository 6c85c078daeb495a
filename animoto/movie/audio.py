"""Makes a track of sound as long as its video: longer sound is cut, shorter sound is followed by silence."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av import AudioFrame, FFmpegError, Packet
from av.audio.fifo import AudioFifo
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer

from cloudkon.errors import InputError

RATE, _FORMAT, _LAYOUT, _BITRATE = 48_000, "fltp", "stereo", 128_000
_BLOCK = 1024
"""Samples of an AAC frame."""
_FILES = {
    # A playlist must not name other files, or hosts, for us to open.
    "format_whitelist": "aac,flac,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,ogg,wav",
    "protocol_whitelist": "file",
}


class AudioTrack:
    """Reads, resamples and encodes as the video goes on; holds about a second of sound."""

    def __init__(self, container: OutputContainer, path: Path) -> None:
        """Raises InputError if the file holds no sound that can be read."""
        self._path = path
        self._source = _open(path)
        self._stream: AudioStream = container.add_stream("aac", rate=RATE, layout=_LAYOUT, format=_FORMAT)
        self._stream.bit_rate = _BITRATE
        self._frames = self._resample()
        self._fifo = AudioFifo()
        self._samples = 0

    def until(self, time_s: Fraction) -> "Iterator[Packet[AudioStream]]":
        """The packets that begin before this time, after those that were taken before."""
        while self._samples + _BLOCK <= time_s * RATE:
            yield from self._encode(_BLOCK)

    def end(self, time_s: Fraction) -> "Iterator[Packet[AudioStream]]":
        """The packets that are left, up to exactly this time."""
        yield from self.until(time_s)
        if rest := int(time_s * RATE) - self._samples:
            yield from self._encode(rest)
        yield from self._stream.encode(None)

    def close(self) -> None:
        self._source.close()

    def _encode(self, samples: int) -> "Iterator[Packet[AudioStream]]":
        while self._fifo.samples < samples:
            self._fifo.write(next(self._frames, None) or _silence())
        if frame := self._fifo.read(samples):
            frame.pts, frame.time_base = self._samples, Fraction(1, RATE)
            self._samples += samples
            yield from self._stream.encode(frame)

    def _resample(self) -> Iterator[AudioFrame]:
        resampler = AudioResampler(_FORMAT, _LAYOUT, RATE)
        try:
            for frame in self._source.decode(audio=0):
                yield from map(_without_time, resampler.resample(frame))
            yield from map(_without_time, resampler.resample(None))
        except FFmpegError as error:
            raise InputError(f"The sound of {self._path} can't be decoded: {error}.") from error


def _open(path: Path) -> InputContainer:
    try:
        source = av.open(str(path), options=_FILES)
    except (FFmpegError, OSError) as error:
        raise InputError(f"The sound of {path} can't be read: {error}.") from error
    if not source.streams.audio:
        source.close()
        raise InputError(f"There is no sound in {path}.")
    return source


def _without_time(frame: AudioFrame) -> AudioFrame:
    """Samples follow one another, whatever times the file gives them."""
    frame.pts = None
    return frame


def _silence() -> AudioFrame:
    frame = AudioFrame(_FORMAT, _LAYOUT, _BLOCK)
    frame.rate = RATE
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    return frame
