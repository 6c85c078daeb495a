from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from animoto.h264.timeline import MAX_FADE_FRAMES, SEEK_SECONDS, CodedFrame, Kind, Timing, timeline
from tests.support.data.fades import fade_weight

_PACES = st.builds(
    Timing, st.sampled_from([10, 25, 30]), st.fractions(Fraction(1, 10), 3, max_denominator=30), st.integers(0, 40)
)
_COUNTS = st.integers(1, 30)


@given(_COUNTS, _PACES)
def test_every_frame_is_shown_once(count: int, timing: Timing) -> None:
    """The frames shown are all those of the pictures' time, none twice."""
    frames = list(timeline(range(count), timing))
    assert sorted(frame.shown_at for frame in frames) == list(range(timing.start(count)))


@given(_COUNTS, _PACES)
def test_decoders_have_one_frame_to_hold_back(count: int, timing: Timing) -> None:
    """Nothing is decoded later than a frame after it is to be shown, and order counts follow what is shown."""
    frames = list(timeline(range(count), timing))
    assert all(frame.shown_at >= decoded - 1 for decoded, frame in enumerate(frames))
    shown = sorted(frames, key=lambda frame: frame.shown_at)
    for before, after in pairwise(shown):
        assert after.order_count == (0 if after.kind is Kind.IDR else before.order_count + 2)


@given(_COUNTS, _PACES)
def test_a_decoder_sees_what_is_meant(count: int, timing: Timing) -> None:
    """A model of the standard's references (8.2.4, 8.2.5.3) shows each picture, and linear fades between them."""
    seen = _decode(list(timeline(range(count), timing)))
    for number in range(count):
        start, end = timing.start(number), timing.start(number + 1)
        fade = sum(seen[at][0] != seen[at][1] for at in range(start, end))
        assert timing.fade_of(number) - 1 <= fade <= timing.fade_of(number) or number + 1 == count
        assert all(seen[at] == (number, number, Fraction()) for at in range(start, end - fade))
        for step, at in enumerate(range(end - fade, end), 1):
            assert seen[at] == (number, number + 1, Fraction(step, fade + 1))


def _decode(frames: list[CodedFrame[int]]) -> dict[int, tuple[int, int, Fraction]]:
    """For each frame shown: two pictures, and the share of the second. Keeps two references, as the stream says."""
    seen: dict[int, tuple[int, int, Fraction]] = {}
    references: list[tuple[CodedFrame[int], int]] = []
    last_num = 0
    for frame in frames:
        assert frame.frame_num == (0 if frame.kind is Kind.IDR else last_num)
        match frame.kind:
            case Kind.IDR:
                references, picture, share = [], (frame.picture, frame.picture), Fraction(0)
            case Kind.INTRA:
                picture, share = (frame.picture, frame.picture), Fraction(0)
            case Kind.HOLD:
                held = max(references, key=lambda reference: reference[0].frame_num)[1]
                picture, share = (held, held), Fraction(0)
            case Kind.FADE:
                past = max((r for r in references if r[0].order_count < frame.order_count), key=_order)
                future = min((r for r in references if r[0].order_count > frame.order_count), key=_order)
                distance = future[0].order_count - past[0].order_count
                assert distance <= 127
                picture, share = (past[1], future[1]), Fraction(frame.order_count - past[0].order_count, distance)
        seen[frame.shown_at] = (*picture, share)
        if frame.referenced:
            references = [*references, (frame, picture[0])][-2:]
            last_num = frame.frame_num + 1
    return seen


def _order(reference: tuple[CodedFrame[int], int]) -> int:
    return reference[0].order_count


@given(st.integers(1, 60), st.sampled_from([0, 15, 29]))
def test_there_is_a_frame_to_seek_to_every_ten_seconds(count: int, fade: int) -> None:
    """From an IDR picture to the next it is ten seconds, and a picture's fade at most; neighbours differ in number."""
    timing = Timing(30, Fraction(1), fade)
    keys = [frame for frame in timeline(range(count), timing) if frame.kind is Kind.IDR]
    ends = [key.shown_at for key in keys] + [timing.start(count)]
    assert all(after - before <= SEEK_SECONDS * 30 + fade + 1 for before, after in pairwise(ends))
    assert all(one.idr != other.idr for one, other in pairwise(keys))


def test_a_long_picture_can_be_sought_into() -> None:
    """A picture that stands for a minute is repeated as a key frame every ten seconds."""
    frames = timeline([0], Timing(30, Fraction(60)))
    assert [frame.shown_at for frame in frames if frame.kind is Kind.IDR] == [0, 300, 600, 900, 1200, 1500]


def test_pictures_are_drawn_one_ahead() -> None:
    """No more than one picture is drawn before the frames of the one before it are taken."""
    drawn: list[int] = []

    def draw() -> Iterator[int]:
        for number in range(9):
            drawn.append(number)
            yield number

    frames = timeline(draw(), Timing(30, Fraction(1), 15))
    assert next(frames).picture == 0
    assert drawn == [0, 1]


@pytest.mark.parametrize("frames", [1, 3, 7, 15, 31])
def test_fades_of_usual_lengths_are_exactly_linear(frames: int) -> None:
    """Where 64 is a multiple of the steps, the weights are the steps'."""
    assert [fade_weight(step, frames) * (frames + 1) for step in range(frames + 2)] == [
        64 * n for n in range(frames + 2)
    ]


@given(st.integers(1, MAX_FADE_FRAMES).flatmap(lambda frames: st.tuples(st.integers(0, frames + 1), st.just(frames))))
def test_any_fade_is_linear_to_a_64th(at: tuple[int, int]) -> None:
    """The weight of any step is less than one 64th off."""
    step, frames = at
    assert abs(fade_weight(step, frames) - Fraction(64 * step, frames + 1)) < 1
