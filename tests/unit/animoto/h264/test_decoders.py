"""What decoders make of the streams that are synthesised: two of them, written by different people."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from animoto.h264.intra import IntraEncoder
from animoto.h264.stream import synthesise
from animoto.render import render
from animoto.video import Engine, Transition, VideoSpec
from bench.animoto.judging import openh264
from tests.support.data.fades import fade_weight
from tests.support.data.stills import Planes, byte_stream, decoded, noise_db, planes, sought, still, worst

SMALL = VideoSpec(width=64, height=48, engine=Engine.SYNTH)
needs_openh264 = pytest.mark.skipif(
    openh264.LIBRARY is None, reason="OpenH264 (Debian: libopenh264-7) is not installed"
)


def _made(path: Path, count: int, spec: VideoSpec) -> list[Planes]:
    render((still(number, spec.width, spec.height) for number in range(count)), spec, path)
    return list(decoded(path))


def _coded(number: int, spec: VideoSpec) -> Planes:
    """A picture as it comes out of x264 alone, decoded as a video of one frame."""
    video = synthesise([IntraEncoder(spec.qp).encode(still(number, spec.width, spec.height))], spec.screen, spec.timing)
    decoder = av.VideoCodecContext.create("h264", "r")
    frames = [*decoder.decode(av.Packet(video.parameters + next(video.units).data)), *decoder.decode(None)]
    return planes(frames[0])


@pytest.mark.parametrize("size", [(64, 48), (50, 38), (320, 18), (16, 16)])
@pytest.mark.parametrize("count", [1, 2, 13])
@needs_openh264
def test_two_decoders_agree_to_the_bit(tmp_path: Path, size: tuple[int, int], count: int) -> None:
    """OpenH264 shows every frame as libavcodec does, whether or not macroblocks fill the screen."""
    path = tmp_path / "made.mp4"
    first = _made(path, count, VideoSpec(*size, engine=Engine.SYNTH))
    second = list(openh264.decode(byte_stream(path)))
    assert len(first) == len(second) == 30 * count
    assert first == second


@pytest.mark.parametrize(
    ("fps", "seconds", "fade_s"), [(25, 0.4, 0.2), (60, 0.5, 0.5), (30, 2.5, 2.0), (12, 0.25, 5), (24, 1, 0.5)]
)
@needs_openh264
def test_two_decoders_agree_at_any_pace(tmp_path: Path, fps: int, seconds: float, fade_s: float) -> None:
    """Short and long fades, and rates other than 30, make no difference; there are no frames too many."""
    path = tmp_path / "made.mp4"
    first = _made(path, 7, VideoSpec(64, 48, fps, seconds, fade_s=fade_s, engine=Engine.SYNTH))
    assert len(first) == int(7 * fps * Fraction(str(seconds)) + Fraction(1, 2))
    assert first == list(openh264.decode(byte_stream(path)))


@needs_openh264
def test_two_decoders_agree_at_full_size(tmp_path: Path) -> None:
    """Three pictures of 1920x1080 with fades, a hundred million pixels: the same."""
    path = tmp_path / "made.mp4"
    render((still(number, 1920, 1080) for number in range(3)), VideoSpec(seconds=0.2, fade_s=0.1), path)
    assert list(decoded(path)) == list(openh264.decode(byte_stream(path)))


def test_holds_are_the_picture_to_the_bit(tmp_path: Path) -> None:
    """While a picture stands, each frame is what x264 made of it alone; so it is after a seek point."""
    frames = _made(tmp_path / "made.mp4", 12, SMALL)
    for number in range(12):
        picture = _coded(number, SMALL)
        last = number == 11
        assert all(frame == picture for frame in frames[30 * number : 30 * number + (30 if last else 15)])


@pytest.mark.parametrize("fade_s", [0.5, 0.4])
def test_fades_are_linear(tmp_path: Path, fade_s: float) -> None:
    """Each frame of a fade is the blend of its pictures by its weight in 64ths, to half a level."""
    frames = _made(tmp_path / "made.mp4", 3, VideoSpec(64, 48, fade_s=fade_s, engine=Engine.SYNTH))
    fade = round(30 * fade_s)
    for start, end in pairwise((0, 30, 60)):
        for step in range(1, fade + 1):
            weight = fade_weight(step, fade)
            for before, after, seen in zip(frames[start], frames[end], frames[end - fade + step - 1], strict=True):
                levels = zip(before, after, seen, strict=True)
                assert all(abs(a * (64 - weight) + b * weight - 64 * c) <= 32 for a, b, c in levels)


def test_a_player_can_seek_into_a_fade(tmp_path: Path) -> None:
    """From the key frame before it, any frame is reached as it is in passing: of a fade, before and after a key."""
    frames = _made(tmp_path / "made.mp4", 22, SMALL)
    for frame in (0, 20, 29, 30, 299, 300, 301, 302, 320, 602, 623, 659):
        assert sought(tmp_path / "made.mp4", Fraction(frame, 30)) == frames[frame], frame


def test_cuts_make_every_picture_a_key_frame(tmp_path: Path) -> None:
    """Without fades each picture can be sought to, and the picture changes at once."""
    path = tmp_path / "made.mp4"
    frames = _made(path, 3, VideoSpec(64, 48, transition=Transition.CUT))
    assert [frames.index(frame) for frame in frames] == [0] * 30 + [30] * 30 + [60] * 30
    assert [number for number, is_key in enumerate(_keys(path)) if is_key] == [0, 30, 60]


def _keys(path: Path) -> Iterator[bool]:
    with av.open(str(path)) as container:
        yield from (packet.is_keyframe for packet in container.demux(video=0) if packet.size)


def test_both_engines_show_the_same(tmp_path: Path) -> None:
    """Frame by frame, what is synthesised is what drawing and encoding every frame gives, but for their losses."""
    synth = _made(tmp_path / "synth.mp4", 3, SMALL)
    drawn = _made(tmp_path / "drawn.mp4", 3, VideoSpec(64, 48, engine=Engine.ENCODE))
    assert len(synth) == len(drawn)
    assert min(map(noise_db, synth, drawn)) > 33


def test_pictures_look_as_they_came(tmp_path: Path) -> None:
    """At the usual quantiser, each picture of noise is within a few levels of its original."""
    frames = _made(tmp_path / "made.mp4", 2, SMALL)
    for number in range(2):
        assert noise_db(frames[30 * number], planes(still(number))) > 38
        assert worst(frames[30 * number], planes(still(number))) < 24


def test_the_stream_says_what_it_is(tmp_path: Path) -> None:
    """Profile, level, rate and the colours that browsers show right stand in the stream itself."""
    path = tmp_path / "made.mp4"
    _made(path, 2, SMALL)
    with av.open(str(path)) as container:
        [stream] = container.streams.video
        context = stream.codec_context
        assert (context.profile, context.level) == ("Main", 30)
        assert stream.average_rate == 30
        assert (context.color_primaries, context.color_trc, context.colorspace) == (1, 13, 6)
        assert context.color_range == av.video.reformatter.ColorRange.MPEG
        assert context.has_b_frames
