"""Which files a sound may be."""

import wave
from pathlib import Path

import pytest

from animoto.movie.sound_file import SoundFile
from cloudkon.errors import InputError


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "sound.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(b"\0\0" * 8_000)
    return path


@pytest.mark.parametrize("name", ["{}", "file:{}"])
def test_a_file_of_sound_is_opened(sound: Path, name: str) -> None:
    """A file on this machine is what a sound may be."""
    SoundFile(Path(name.format(sound))).close()


@pytest.mark.parametrize("name", ["concat:{}|{}", "subfile,,start,0,end,0,,:{}", "cache:{}", "async:{}", "crypto:{}"])
def test_no_name_makes_ffmpeg_open_anything_else(sound: Path, name: str) -> None:
    """A name that ffmpeg takes for a protocol of its own opens nothing, though the sound behind it is fine."""
    with pytest.raises(InputError):
        SoundFile(Path(name.format(sound, sound)))
