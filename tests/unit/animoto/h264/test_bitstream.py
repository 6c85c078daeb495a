import pytest
from hypothesis import given
from hypothesis import strategies as st

from animoto.h264.bitstream import BitReader, BitWriter, escape, split_units, unescape

_NUMBERS = st.integers(0, 1 << 40)
_ZEROISH = st.lists(st.sampled_from([0, 0, 0, 1, 2, 3, 4, 255]), max_size=60).map(bytes)


@given(st.lists(st.integers(1, 40).flatmap(lambda width: st.tuples(st.just(width), st.integers(0, (1 << width) - 1)))))
def test_bits_are_read_back(fields: list[tuple[int, int]]) -> None:
    """Numbers of any width are read back, and nothing is left but the trailing bits."""
    bits = BitWriter()
    for width, value in fields:
        bits.u(width, value)
    reader = BitReader(bits.end())
    assert [reader.u(width) for width, _ in fields] == [value for _, value in fields]
    assert not reader.more()


@given(st.lists(_NUMBERS), st.lists(st.integers(-(1 << 40), 1 << 40)))
def test_codes_are_read_back(unsigned: list[int], signed: list[int]) -> None:
    """Exp-Golomb codes of either kind are read back."""
    bits = BitWriter()
    for value in unsigned:
        bits.ue(value)
    for value in signed:
        bits.se(value)
    reader = BitReader(bits.end())
    assert [reader.ue() for _ in unsigned] == unsigned
    assert [reader.se() for _ in signed] == signed


@pytest.mark.parametrize(
    ("value", "code"), [(0, "1"), (1, "010"), (2, "011"), (3, "00100"), (8159, "0" * 12 + "1111111100000")]
)
def test_unsigned_codes_are_those_of_the_standard(value: int, code: str) -> None:
    """Table 9-2, and a run of all the macroblocks of a 1920x1080 picture but one."""
    bits = BitWriter()
    bits.ue(value)
    assert bits.length == len(code)
    assert bits.end() == int((code + "1").ljust(-(-(len(code) + 1) // 8) * 8, "0"), 2).to_bytes(
        -(-(len(code) + 1) // 8), "big"
    )


@pytest.mark.parametrize(("value", "number"), [(0, 0), (1, 1), (-1, 2), (2, 3), (-2, 4)])
def test_signed_codes_are_those_of_the_standard(value: int, number: int) -> None:
    """Table 9-3."""
    signed, unsigned = BitWriter(), BitWriter()
    signed.se(value)
    unsigned.ue(number)
    assert signed.end() == unsigned.end()


def test_what_does_not_fit_is_refused() -> None:
    """A number that needs more bits than it gets is a mistake, not a shorter number."""
    with pytest.raises(ValueError, match="does not fit"):
        BitWriter().u(3, 8)
    with pytest.raises(ValueError, match="before their time"):
        BitReader(b"\0").ue()


@given(_ZEROISH)
def test_escaped_payloads_have_no_start_codes(payload: bytes) -> None:
    """Escaping is undone, and leaves no two zeros before a byte below 3."""
    escaped = escape(payload)
    assert unescape(escaped) == payload
    assert not any(code in escaped for code in (b"\0\0\0", b"\0\0\1", b"\0\0\2"))


@given(st.lists(_ZEROISH.map(lambda payload: b"\x65" + escape(payload) + b"\x80"), min_size=1))
def test_units_are_found_in_a_byte_stream(units: list[bytes]) -> None:
    """Start codes of three or four bytes separate units."""
    for code in (b"\0\0\1", b"\0\0\0\1"):
        assert list(split_units(b"".join(code + unit for unit in units))) == units
