"""Makes a track of sound as long as its video: longer sound is cut, shorter sound is followed by silence."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from av import AudioFrame, Packet
from av.audio.fifo import AudioFifo
from av.audio.stream import AudioStream
from av.container import OutputContainer

from animoto.movie.sound_file import FORMAT, LAYOUT, RATE, SoundFile

_BITRATE = 128_000
_BLOCK = 1024
"""Samples of an AAC frame."""


class AudioTrack:
    """Reads, resamples and encodes as the video goes on; holds about a second of sound."""

    def __init__(self, container: OutputContainer, path: Path) -> None:
        """Raises InputError if the file holds no sound that can be read."""
        self._source = SoundFile(path)
        self._stream: AudioStream = container.add_stream("aac", rate=RATE, layout=LAYOUT, format=FORMAT)
        self._stream.bit_rate = _BITRATE
        self._frames = self._source.frames()
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


def _silence() -> AudioFrame:
    frame = AudioFrame(FORMAT, LAYOUT, _BLOCK)
    frame.rate = RATE
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    return frame
