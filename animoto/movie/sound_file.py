"""Reads the sound of a file as one stream of stereo samples, whatever happens in its midst."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av import AudioFrame, FFmpegError, Packet
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer

from cloudkon.errors import InputError

RATE, FORMAT, LAYOUT = 48_000, "fltp", "stereo"
_OPTIONS = {
    # A playlist must not name other files, or hosts, for us to open.
    "format_whitelist": "aac,ac3,aiff,amr,asf,au,caf,eac3,flac,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,ogg,"
    "w64,wav,wv",
    "protocol_whitelist": "file",
}
_MIN_RATE = 1_000
"""A frame at one sample a second would become gigabytes."""
_MAX_FAILURES = 64
"""How often in a row a file may fail to be read on."""


class SoundFile:
    """A file's first track of sound. What can't be decoded is left out, as players do, as long as anything can."""

    def __init__(self, path: Path) -> None:
        """Raises InputError if the file holds no track of sound."""
        self._path = path
        self._container = _open(path)
        self._resampler: AudioResampler | None = None
        self._resampled: tuple[object, ...] = ()

    def close(self) -> None:
        self._container.close()

    def frames(self) -> Iterator[AudioFrame]:
        """The samples in 48,000 Hz stereo, without times: they follow one another, whatever times the file gives them.

        Raises InputError when nothing at all could be decoded.
        """
        heard = False
        for packet in self._packets():
            for frame in _decode(packet):
                for resampled in self._resample(frame):
                    heard = True
                    yield resampled
        yield from self._flush()
        if not heard:
            raise InputError(f"The sound of {self._path} can't be decoded: it is damaged, or of an unknown kind.")

    def _packets(self) -> "Iterator[Packet[AudioStream]]":
        """The track's packets, past what can't be read between them."""
        failures = 0
        while failures < _MAX_FAILURES:
            try:
                for packet in self._container.demux(self._container.streams.audio[0]):
                    failures = 0
                    yield packet
            except FFmpegError:
                failures += 1
            else:
                return

    def _resample(self, frame: AudioFrame) -> Iterator[AudioFrame]:
        """The frame in our form; another rate, format or layout than before begins anew."""
        if not frame.samples or frame.sample_rate < _MIN_RATE:
            return
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if form != self._resampled:
            yield from self._flush()
            self._resampler, self._resampled = AudioResampler(FORMAT, LAYOUT, RATE), form
        assert self._resampler is not None  # noqa: S101 (made above)
        frame.pts, frame.time_base = None, Fraction(1, frame.sample_rate)
        try:
            yield from map(_without_time, self._resampler.resample(frame))
        except (FFmpegError, ValueError):
            self._resampler, self._resampled = None, ()

    def _flush(self) -> Iterator[AudioFrame]:
        """What a resampler still holds."""
        resampler, self._resampler, self._resampled = self._resampler, None, ()
        if resampler is None:
            return
        try:
            yield from map(_without_time, resampler.resample(None))
        except (FFmpegError, ValueError):
            return


def _open(path: Path) -> InputContainer:
    try:
        container = av.open(str(path), options=_OPTIONS, metadata_errors="replace")
    except (FFmpegError, OSError, ValueError) as error:
        raise InputError(f"The sound of {path} can't be read: {error}.") from error
    if not container.streams.audio:
        container.close()
        raise InputError(f"There is no sound in {path}.")
    return container


def _decode(packet: "Packet[AudioStream]") -> list[AudioFrame]:
    """The packet's frames; none if it is damaged, as if it had not been there."""
    try:
        return [frame for frame in packet.decode() if isinstance(frame, AudioFrame)]
    except (FFmpegError, ValueError):
        return []


def _without_time(frame: AudioFrame) -> AudioFrame:
    frame.pts = None
    return frame
