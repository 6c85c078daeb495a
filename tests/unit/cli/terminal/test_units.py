import pytest

from cli.terminal.units import duration, rate, size
from cloudkon.printable import one_line


@pytest.mark.parametrize(
    ("ms", "shown"),
    [
        (None, "-"),
        (0, "0 µs"),
        (0.012, "12 µs"),
        (0.9994, "999 µs"),
        (0.9996, "1.00 ms"),
        (12.34, "12.3 ms"),
        (999.4, "999 ms"),
        (999.6, "1.00 s"),
        (59_940, "59.9 s"),
        (59_960, "1 min 00 s"),
        (3_599_400, "59 min 59 s"),
        (3_599_600, "1 h 00 min"),
        (90_000_000, "25 h 00 min"),
    ],
)
def test_durations_have_three_digits_and_a_fitting_unit(ms: float | None, shown: str) -> None:
    """Durations have three digits and the unit that fits."""
    assert duration(ms) == shown


@pytest.mark.parametrize(
    ("size_bytes", "shown"), [(0, "0 B"), (999, "999 B"), (1_000, "1.00 kB"), (8_388_608, "8.39 MB")]
)
def test_sizes_count_in_thousands(size_bytes: int, shown: str) -> None:
    """Sizes count in thousands."""
    assert size(size_bytes) == shown


@pytest.mark.parametrize(
    ("per_s", "shown"), [(0, "0.00/s"), (3.333, "3.33/s"), (99.96, "100/s"), (12_345.6, "12,346/s")]
)
def test_rates_have_three_digits_or_all_of_them(per_s: float, shown: str) -> None:
    """Rates have three digits or all of them."""
    assert rate(per_s) == shown


def test_any_text_becomes_one_harmless_line() -> None:
    """Text of anybody's making becomes one line that does nothing to a terminal, and is cut off."""
    assert one_line("a\n\tb\x1b[31m\x00") == "a b\ufffd[31m\ufffd"
    assert one_line("x" * 201) == "x" * 200 + " ..."
