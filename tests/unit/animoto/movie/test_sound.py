"""Sound as people have it: whatever players play is heard in the video."""

import io
import random
import struct
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from av import AudioFrame
from PIL import Image

from animoto.movie.sound_file import RATE, SoundFile
from animoto.render import render
from animoto.video import VideoSpec
from cloudkon.errors import InputError
from tests.support.data.stills import still
from tests.support.data.tones import id3, tone, wav

DICE = random.Random(5)
MP3 = tone("libmp3lame", "mp3")
AAC = tone("aac", "adts")
OGG = tone("vorbis", "ogg", seconds=4)
OPUS = tone("libopus", "ogg", seconds=4)
FLAC = tone("flac", "flac")
M4A = tone("aac", "ipod")


def _damaged(data: bytes, rubbish: bytes) -> bytes:
    half = len(data) // 2
    return data[:half] + rubbish + data[half + len(rubbish) :]


def _cover() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (600, 600), "red").save(file, "JPEG")
    return file.getvalue()


PLAYED: dict[str, Callable[[], bytes]] = {
    "MP3, constant bits": lambda: MP3,
    "MP3, variable bits": lambda: tone("libmp3lame", "mp3", q="4"),
    "MP3, mono, 22,050": lambda: tone("libmp3lame", "mp3", 22_050, "mono"),
    "MP3, 8,000": lambda: tone("libmp3lame", "mp3", 8_000, "mono"),
    "MP3, padding after its last frame": lambda: MP3 + bytes(2_000),
    "MP3, rubbish after its last frame": lambda: MP3 + DICE.randbytes(3_000),
    "MP3, rubbish before its first frame": lambda: DICE.randbytes(300) + MP3,
    "MP3, a damaged middle": lambda: _damaged(MP3, DICE.randbytes(600)),
    "MP3, zeros in its middle": lambda: _damaged(MP3, bytes(3_000)),
    "MP3, twice": lambda: MP3 + MP3,
    "MP3, cut off": lambda: MP3[: len(MP3) * 3 // 4],
    "MP3, another rate in its midst": lambda: tone("libmp3lame", "mp3", 44_100, "mono", seconds=1) + MP3,
    "MP3, a tag and a cover": lambda: id3(100, picture=_cover()) + MP3,
    "MP3, a large tag": lambda: id3(2_000_000) + MP3,
    "MP3, a tag of another version": lambda: id3(50, major=4) + MP3,
    "MP3, a tag at its end": lambda: MP3 + b"TAG" + b"title".ljust(125, b"\xff"),
    "AAC": lambda: AAC,
    "AAC, a tag before it": lambda: id3(200) + AAC,
    "AAC, another rate in its midst": lambda: tone("aac", "adts", 44_100, "mono", seconds=1) + AAC,
    "AAC, from six channels to one": lambda: (
        tone("aac", "adts", 48_000, "5.1", seconds=1) + tone("aac", "adts", 32_000, "mono")
    ),
    "AAC, a damaged middle": lambda: _damaged(AAC, DICE.randbytes(300)),
    "M4A": lambda: M4A,
    "M4A, a damaged middle": lambda: _damaged(M4A, DICE.randbytes(300)),
    "M4A, Apple's lossless": lambda: tone("alac", "ipod"),
    "MP4, fragments": lambda: tone("aac", "mp4"),
    "Ogg Vorbis": lambda: OGG,
    "Ogg Vorbis, a damaged middle": lambda: _damaged(OGG, DICE.randbytes(200)),
    "Ogg Vorbis, twice": lambda: tone("vorbis", "ogg", seconds=1) + tone("vorbis", "ogg", seconds=1),
    "Ogg Vorbis, and more at another rate, which is left out": lambda: OGG + tone("vorbis", "ogg", 44_100, seconds=1),
    "Ogg Opus": lambda: OPUS,
    "Ogg Opus, a damaged middle": lambda: _damaged(OPUS, DICE.randbytes(200)),
    "Ogg, cut off": lambda: OGG[: len(OGG) * 3 // 4],
    "WebM": lambda: tone("libopus", "webm"),
    "Matroska": lambda: tone("flac", "matroska"),
    "FLAC": lambda: FLAC,
    "FLAC, a tag before it": lambda: id3(200) + FLAC,
    "FLAC, a damaged middle": lambda: _damaged(FLAC, DICE.randbytes(500)),
    "FLAC, 24 bits, 96,000": lambda: tone("flac", "flac", 96_000),
    "AIFF": lambda: tone("pcm_s16be", "aiff"),
    "AU": lambda: tone("pcm_s16be", "au"),
    "CAF": lambda: tone("pcm_s16le", "caf"),
    "WAV, telephone": lambda: tone("pcm_mulaw", "wav", 8_000, "mono"),
    "WAV, ADPCM": lambda: tone("adpcm_ima_wav", "wav"),
    **{f"WAV, {bits} bits": lambda bits=bits: wav(bits) for bits in (8, 16, 24, 32)},  # type: ignore[misc]
    **{f"WAV, floats of {bits} bits": lambda bits=bits: wav(bits, kind=3) for bits in (32, 64)},  # type: ignore[misc]
    **{f"WAV, {n} channels": lambda n=n: wav(16, n, 16_000) for n in range(1, 9)},  # type: ignore[misc]
    "WAV, 7.1 by its mask": lambda: wav(24, 8, mask=0x63F),
    "WAV, six channels without a mask": lambda: wav(16, 6, mask=0),
    "WAV, 192,000": lambda: wav(16, 2, 192_000, seconds=1.5),
    "WAV, 11,025": lambda: wav(8, 1, 11_025),
    "WAV, of no length, as a stream is written": lambda: wav(size=0),
    "WAV, of the greatest length": lambda: wav(size=0xFFFFFFFF),
    "WAV, longer than it is": lambda: wav(size=10_000_000),
    "WAV, an odd number of bytes": lambda: wav(size=1_000_000)[:-1],
    "WAV, notes before its format": lambda: wav(before=b"LIST" + struct.pack("<I", 7) + b"INFOabc\0"),
    "WAV, rubbish after its end": lambda: wav() + DICE.randbytes(999),
}


def _heard(path: Path) -> tuple[float, float]:
    """How long the sound lasts [s], and how loud it is at its loudest."""
    sound = SoundFile(path)
    try:
        frames = list(sound.frames())
    finally:
        sound.close()
    loudest = max(max(map(abs, _levels(frame))) for frame in frames)
    return sum(frame.samples for frame in frames) / RATE, loudest


def _levels(frame: AudioFrame) -> tuple[float, ...]:
    return struct.unpack_from(f"{frame.samples}f", bytes(frame.planes[0]))


@pytest.mark.parametrize("name", PLAYED)
def test_sound_that_players_play_is_heard(name: str, tmp_path: Path) -> None:
    """One packet that can't be decoded, a change in its midst, a tag or an odd header does not spoil the sound."""
    path = tmp_path / "sound"
    path.write_bytes(PLAYED[name]())
    seconds, loudest = _heard(path)
    assert seconds > 1.3
    assert 0.2 < loudest < 1.5


@pytest.mark.parametrize("name", ["MP3, another rate in its midst", "AAC, a damaged middle", "WAV, 7 channels"])
def test_odd_sound_makes_a_whole_video(name: str, tmp_path: Path) -> None:
    """The video lasts as long as without the oddity, with its sound in it."""
    path, made = tmp_path / "sound", tmp_path / "made.mp4"
    path.write_bytes(PLAYED[name]())
    report = render([still(0)], VideoSpec(64, 48, seconds=4, audio=path), made)
    assert report.duration_s == 4
    with av.open(str(made)) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]


@pytest.mark.parametrize(
    "data",
    [
        MP3[:40],
        AAC[:3],
        wav()[:44],
        wav(16, 2, 100, seconds=30),
        b"RIFF" + DICE.randbytes(500),
        DICE.randbytes(5_000),
        M4A[: len(M4A) // 8],
    ],
    ids=["MP3, hardly begun", "AAC, hardly begun", "WAV, no samples", "WAV, 100 Hz", "no RIFF", "rubbish", "no index"],
)
def test_sound_of_which_nothing_can_be_decoded_is_refused(data: bytes, tmp_path: Path) -> None:
    """Where nothing at all is heard, there is an error instead of a silent video."""
    path = tmp_path / "sound"
    path.write_bytes(data)
    with pytest.raises(InputError, match="sound"):
        render([still(0)], VideoSpec(64, 48, audio=path), tmp_path / "made.mp4")
    assert not (tmp_path / "made.mp4").exists()
