import pytest
from hypothesis import given
from hypothesis import strategies as st

from animoto.h264.bitstream import BitReader, BitWriter, escape, unescape
from animoto.h264.intra import IntraEncoder
from animoto.h264.parameter_sets import OUR_LAYOUT, Layout, Screen, picture_parameter_set, sequence_parameter_set
from animoto.h264.slice_header import SliceHeader, SliceType
from animoto.h264.slices import IntraPicture
from tests.support.data.stills import still

_LAYOUTS = st.builds(Layout, st.integers(4, 16), st.sampled_from([0, 4, 16]), st.integers(10, 40), st.booleans())
_DEBLOCKING = st.just((1, 0, 0)) | st.tuples(st.sampled_from([0, 2]), st.integers(-6, 6), st.integers(-6, 6))


@given(st.data(), _LAYOUTS, st.sampled_from(SliceType), st.none() | st.integers(0, 99))
def test_a_slice_header_is_read_back(data: st.DataObject, layout: Layout, kind: SliceType, idr: int | None) -> None:
    """Whatever the layout and the slice, reading gives the header that was written and ends where it ended."""
    referenced = data.draw(st.booleans())
    header = SliceHeader(
        kind,
        data.draw(st.integers(0, 255)),
        data.draw(st.integers(0, (1 << layout.frame_num_bits) - 1)),
        data.draw(st.integers(0, (1 << layout.order_count_bits) - 1)),
        referenced,
        idr,
        data.draw(st.integers(10, 51)),
        data.draw(_DEBLOCKING) if layout.deblocking_control else (0, 0, 0),
    )
    bits = BitWriter()
    header.write(bits, layout)
    length = bits.length
    reader = BitReader(bits.end())
    assert SliceHeader.read(reader, layout, referenced=referenced, idr=idr is not None) == header
    assert reader.position == length


@given(st.integers(0, 300), st.integers(0, 70_000), st.none() | st.integers(0, 1))
def test_a_picture_moves_without_a_shift_of_its_bytes(frame_num: int, order_count: int, idr: int | None) -> None:
    """Wherever a picture stands, its data are the encoder's, and its header says where."""
    unit = _PICTURE.unit(frame_num, order_count, idr)
    assert unit.endswith(_PICTURE.tail)
    assert unit[0] & 31 == (1 if idr is None else 5)
    reader = BitReader(unescape(unit[1:64]))
    header = SliceHeader.read(reader, OUR_LAYOUT, referenced=True, idr=idr is not None)
    assert (header.frame_num, header.order_count, header.idr) == (frame_num % 256, order_count % 65536, idr)
    assert reader.position % 8 == _PICTURE.lead_bits % 8


_PICTURE = IntraEncoder(23).encode(still(1))


@given(
    st.lists(st.sampled_from([0, 0, 0, 1, 2, 3, 4, 255]), min_size=24, max_size=60).map(bytes), st.integers(0, 70_000)
)
def test_any_data_stay_escaped_behind_a_new_header(data: bytes, order_count: int) -> None:
    """Zeros where the escaped bytes are cut, or anywhere else, make no start code and get lost nowhere."""
    screen = Screen(64, 48, 30)
    header = BitWriter()
    SliceHeader(SliceType.I, 0, 0, 0, True, 0, 20).write(header, OUR_LAYOUT)
    header.u(-header.length % 8, 0)
    coded = b"\x65" + escape(header.written() + data + b"\x80")
    sets = (sequence_parameter_set(screen, reordered=False), picture_parameter_set(0))
    unit = IntraPicture.parse(b"".join(b"\0\0\0\1" + each for each in (*sets, coded))).unit(1, order_count)
    assert unescape(unit).endswith(data + b"\x80")
    assert escape(unescape(unit)) == unit


@pytest.mark.parametrize("number", [0, 1])
def test_a_picture_depends_on_its_pixels_and_its_turn(number: int) -> None:
    """An encoder that has coded other pictures before codes this one as a new encoder does, to the bit."""
    used = IntraEncoder(23)
    for earlier in range(4):
        used.encode(still(earlier + 7), earlier)
    coded = used.encode(still(1), number)
    assert coded == IntraEncoder(23).encode(still(1), number)
    assert coded != used.encode(still(2), number)


def test_other_streams_are_refused() -> None:
    """Two pictures, or none, are not one picture."""
    with pytest.raises(ValueError, match="not one IDR picture"):
        IntraPicture.parse(b"\0\0\1\x65\x88")


@pytest.mark.parametrize(
    ("size", "level"), [((64, 48, 30), 30), ((1280, 720, 30), 31), ((1920, 1080, 30), 40), ((1920, 1080, 60), 42)]
)
def test_the_level_is_the_lowest_that_carries_the_screen(size: tuple[int, int, int], level: int) -> None:
    """Table A-1, with room for four frames in memory."""
    assert Screen(*size).level == level


def test_no_level_carries_everything() -> None:
    """Beyond level 5.2 there is none."""
    assert Screen(7680, 4320, 60).level is None
