import io
import math
import os
import struct
import subprocess
import sys
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import av
import pytest
from av import VideoFrame
from av.video.frame import PictureType

from animoto.movie.verify import check_mp4
from animoto.render import encode_each_once, render
from animoto.video import Engine, Transition, VideoError, VideoReport, VideoSpec
from cloudkon.errors import InputError
from tests.support.data.stills import GREY, WHITE, decoded, noise_db, plain, planes, still

ROOT = Path(__file__).parents[4]
SMALL = VideoSpec(width=64, height=48)


def _stills(count: int) -> Iterator[VideoFrame]:
    return (still(number) for number in range(count))


@pytest.mark.parametrize("engine", [Engine.SYNTH, Engine.ENCODE])
@pytest.mark.parametrize("transition", Transition)
@pytest.mark.parametrize("count", [1, 2, 11])
def test_a_video_has_exactly_its_frames(tmp_path: Path, count: int, transition: Transition, engine: Engine) -> None:
    """Both engines make 30 frames a picture, no more and no less, and report what stands in the file."""
    path = tmp_path / "made.mp4"
    report = render(_stills(count), VideoSpec(64, 48, transition=transition, engine=engine), path)
    assert report == VideoReport(count, 30 * count, float(count), path.stat().st_size, engine)
    assert sum(1 for _ in decoded(path)) == 30 * count


@pytest.mark.parametrize("count", [60, 61])
def test_sixty_pictures_are_sixty_seconds(tmp_path: Path, count: int) -> None:
    """1,800 frames, 60.000 s, the right picture a quarter of a second into each second, an index that comes first."""
    path = tmp_path / "made.mp4"
    assert render(_stills(count), SMALL, path).duration_s == count
    with av.open(str(path)) as container:
        assert container.duration == count * 1_000_000
    frames = list(decoded(path))
    assert len(frames) == 30 * count
    assert all(noise_db(frames[30 * number + 7], planes(still(number))) > 38 for number in range(count))
    data = path.read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize("engine", [Engine.SYNTH, Engine.ENCODE])
def test_the_same_pictures_give_the_same_bytes(tmp_path: Path, engine: Engine) -> None:
    """Again, with more threads, and into memory instead of a file."""
    spec = VideoSpec(64, 48, engine=engine, title="Again")
    render(_stills(5), spec, tmp_path / "one.mp4")
    render(_stills(5), spec, tmp_path / "other.mp4", threads=3)
    memory = io.BytesIO()
    render(_stills(5), spec, memory)
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "other.mp4").read_bytes() == memory.getvalue()


@pytest.mark.parametrize("engine", [Engine.SYNTH, Engine.ENCODE])
def test_bytes_do_not_depend_on_what_was_made_before(engine: Engine) -> None:
    """A process makes of pictures what a fresh one makes of them, after and beside videos of other sizes and counts."""
    wanted = _made(5, 64, 48, engine)
    fresh = "import sys, tests.unit.animoto.movie.test_render as t; print(t._made(5, 64, 48, t.Engine(sys.argv[1])))"
    told = subprocess.run(
        [sys.executable, "-c", fresh, engine], check=True, capture_output=True, text=True, env=os.environ, cwd=ROOT
    )
    others = [(3, 32, 32), (7, 96, 64), (5, 64, 48)]
    with ThreadPoolExecutor(4) as slots:
        beside = [slots.submit(_made, *other, engine, threads=1 + at % 3) for at, other in enumerate(others * 3)]
        made = [slots.submit(_made, 5, 64, 48, engine, threads=1 + at).result() for at in range(3)]
        again = {future.result() for future in beside[2::3]}
    assert {told.stdout.strip(), *made, *again} == {wanted}


def _made(count: int, width: int, height: int, engine: Engine, *, threads: int = 1) -> str:
    """What tells the bytes of a video from any other."""
    memory = io.BytesIO()
    render(
        (still(number, width, height) for number in range(count)),
        VideoSpec(width, height, engine=engine),
        memory,
        threads=threads,
    )
    return sha256(memory.getvalue()).hexdigest()


@pytest.mark.parametrize("threads", [1, 3])
def test_pictures_stream_through(threads: int) -> None:
    """However many pictures there are, they are drawn as they are taken, one more than there are threads."""
    drawn: list[int] = []

    def draw() -> Iterator[VideoFrame]:
        for number in range(20):
            drawn.append(number)
            yield still(number)

    for taken, _ in enumerate(encode_each_once(draw(), 23, threads)):
        assert len(drawn) == min(20, taken + 1 + threads)


@pytest.mark.parametrize("engine", [Engine.SYNTH, Engine.ENCODE])
def test_decoded_pictures_are_no_key_frames(tmp_path: Path, engine: Engine) -> None:
    """Frames that come marked as intra, as JPEG's do, give the same video as frames that are not."""
    spec, marked = VideoSpec(64, 48, engine=engine), list(_stills(2))
    for frame in marked:
        frame.pict_type = PictureType.I
    render(marked, spec, tmp_path / "marked.mp4")
    render(_stills(2), spec, tmp_path / "plain.mp4")
    assert (tmp_path / "marked.mp4").read_bytes() == (tmp_path / "plain.mp4").read_bytes()


def test_an_error_of_the_pictures_leaves_no_video(tmp_path: Path) -> None:
    """The error comes through, a file that was there stays, and nothing is left beside it."""
    path = tmp_path / "made.mp4"
    path.write_bytes(b"before")

    def break_off() -> Iterator[VideoFrame]:
        yield from _stills(4)
        raise ConnectionError("The fifth is not to be had.")

    with pytest.raises(ConnectionError, match="fifth"):
        render(break_off(), SMALL, path)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("engine", [Engine.SYNTH, Engine.ENCODE])
def test_no_pictures_are_no_video(tmp_path: Path, engine: Engine) -> None:
    """An empty video is refused."""
    with pytest.raises(InputError, match="one picture at least"):
        render([], VideoSpec(64, 48, engine=engine), tmp_path / "made.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_picture_of_another_size_is_refused(tmp_path: Path) -> None:
    """The picture is named by its place."""
    with pytest.raises(InputError, match="Picture 2 is 32x32 in yuv420p; the video is 64x48"):
        render([still(0), still(1, 32, 32)], SMALL, tmp_path / "made.mp4")


def test_a_title_stands_over_the_first_picture_alone(tmp_path: Path) -> None:
    """White letters stand in the lower third as long as the first picture, and fade with it."""
    path = tmp_path / "made.mp4"
    render([plain(GREY, 320, 240)] * 2, VideoSpec(320, 240, title="A day at the sea"), path)
    frames = [frame[0] for frame in decoded(path)]
    assert max(frames[0]) > 220
    assert min(frames[0]) < 40
    assert set(frames[0][: 320 * 120]) == {128}
    assert frames[0] == frames[14]
    assert set(frames[30]) == {128}


@pytest.mark.parametrize("title", ["x" * 200, "many words " * 18, "\U0001f3d6", "é\n\n\tß", " "])
def test_any_title_finds_its_place(tmp_path: Path, title: str) -> None:
    """Titles that are too long, or that the font lacks, make a video all the same."""
    assert render(_stills(1), VideoSpec(64, 48, title=title), tmp_path / "made.mp4").frames == 30


def test_pan_and_zoom_move_within_a_picture(tmp_path: Path) -> None:
    """Frames of a picture differ, the last more than the second; what is of one colour stays so."""
    path = tmp_path / "made.mp4"
    report = render(_stills(2), VideoSpec(64, 48, pan_zoom=True), path)
    frames = list(decoded(path))
    assert (report.engine, len(frames)) == (Engine.ENCODE, 60)
    assert noise_db(frames[0], frames[14]) < noise_db(frames[0], frames[1])
    render([plain(WHITE)], VideoSpec(64, 48, pan_zoom=True), path)
    assert {level for frame in decoded(path) for level in frame[0]} == {235}


def _tone(path: Path, seconds: float) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        levels = (int(9000 * math.sin(at / 3)) for at in range(int(8000 * seconds)))
        file.writeframes(b"".join(struct.pack("<h", level) for level in levels))
    return path


@pytest.mark.parametrize("seconds", [0.5, 7])
def test_sound_lasts_as_long_as_the_video(tmp_path: Path, seconds: float) -> None:
    """Sound that is too short goes on in silence, sound that is too long is cut; the frames are the same."""
    path = tmp_path / "made.mp4"
    render(_stills(3), VideoSpec(64, 48, audio=_tone(tmp_path / "tone.wav", seconds)), path)
    with av.open(str(path)) as container:
        assert container.duration == 3_000_000
        loudest = [max(abs(level) for level in _levels(frame)) for frame in container.decode(audio=0)]
    assert max(loudest[:20]) > 0.1
    assert (max(loudest[30:]) > 0.1) == (seconds > 3)
    assert sum(1 for _ in decoded(path)) == 90


def _levels(frame: av.AudioFrame) -> tuple[float, ...]:
    return struct.unpack(f"<{frame.samples}f", bytes(frame.planes[0])[: 4 * frame.samples])


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("none.mp3", None),
        ("noise.mp3", b"\x13\x37" * 999),
        ("list.m3u8", b"#EXTM3U\n#EXTINF:9,\nhttp://127.0.0.1:1/a.ts\n"),
    ],
)
def test_what_is_no_sound_is_refused(tmp_path: Path, name: str, data: bytes | None) -> None:
    """A missing file, noise, and a list that would have us open other addresses."""
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=name):
        render(_stills(1), VideoSpec(64, 48, audio=tmp_path / name), tmp_path / "made.mp4")


def test_sound_is_no_list_of_other_files(tmp_path: Path) -> None:
    """A list that names files of this machine is refused, even a file that would do."""
    _tone(tmp_path / "tone.wav", 1)
    (tmp_path / "list.wav").write_text("ffconcat version 1.0\nfile tone.wav\n")
    with pytest.raises(InputError, match=r"list\.wav can't be read"):
        render(_stills(1), VideoSpec(64, 48, audio=tmp_path / "list.wav"), tmp_path / "made.mp4")


def test_a_video_without_sound_is_no_sound(tmp_path: Path) -> None:
    """A file that has pictures only is refused as sound."""
    render(_stills(1), SMALL, tmp_path / "mute.mp4")
    with pytest.raises(InputError, match="There is no sound"):
        render(_stills(1), VideoSpec(64, 48, audio=tmp_path / "mute.mp4"), tmp_path / "made.mp4")


@pytest.mark.parametrize(("frames", "fps"), [(59, 30), (61, 30), (60, 25)])
def test_a_video_that_is_not_right_is_found_out(tmp_path: Path, frames: int, fps: int) -> None:
    """A frame too many, a frame too few, another rate: the check says no."""
    path = tmp_path / "made.mp4"
    render(_stills(2), SMALL, path)
    check_mp4(path, 60, 30, sound=False)
    with pytest.raises(VideoError, match="has other"):
        check_mp4(path, frames, fps, sound=False)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"width": 63}, "even numbers"),
        ({"height": 8}, "16 to 7680 pixels"),
        ({"fps": 0}, "frames a second"),
        ({"width": 7680, "height": 4320, "fps": 60}, "No level"),
        ({"seconds": 0.01}, "a frame at least"),
        ({"seconds": math.nan}, "a frame at least"),
        ({"fade_s": -1}, "A fade takes"),
        ({"qp": 60}, "quantiser"),
        ({"title": "x" * 201}, "at most 200"),
        ({"pan_zoom": True, "engine": Engine.SYNTH}, "pan and zoom; use engine=auto"),
        ({"seconds": 9, "fade_s": 3, "engine": Engine.SYNTH}, "more than 62 frames; use engine=auto"),
    ],
)
def test_what_cannot_be_made_is_said_at_once(fields: dict[str, object], reason: str) -> None:
    """A spec that no engine, or not the one asked for, can make is refused with its reason."""
    with pytest.raises(InputError, match=reason):
        VideoSpec(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "engine"),
    [({}, Engine.SYNTH), ({"pan_zoom": True}, Engine.ENCODE), ({"seconds": 9, "fade_s": 3}, Engine.ENCODE)],
)
def test_auto_synthesises_what_it_can(fields: dict[str, object], engine: Engine) -> None:
    """Only movement, and fades of more than two seconds, are worth encoding every frame."""
    assert VideoSpec(**fields).used_engine is engine  # type: ignore[arg-type]
