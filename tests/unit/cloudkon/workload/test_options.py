"""The options at the top of a workload: what they may be, and that whatever is accepted travels and ends."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudkon.aws.ledger.rows import job_item, job_of
from cloudkon.ledger.bundle import Bundle, BundleKey, LineNumbers
from cloudkon.ledger.job import MAX_RETRIES, MAX_TIMEOUT_S
from cloudkon.messages.wire import decode_bundle, encode_bundle
from cloudkon.workload.lines import Line
from cloudkon.workload.packing import Reject, pack_bundles
from cloudkon.workload.planning import (
    MAX_BUNDLE_TASKS,
    Options,
    bundle_size,
    ranges_of,
    read_options,
    sample,
    shards_of,
)
from tests.support.data.rows import NOW_MS, job


def header(words: str) -> Line:
    text = f"#cloudkon: {words}"
    return Line(1, text, len(text.encode()) + 1)


def options_of(words: str) -> Options:
    """The options that these words set, none of which may be refused."""
    options, errors = read_options(header(words))
    assert not errors
    return options


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ("bundle=1 task_ms=250 retries=5 timeout=30s", Options(1, 250.0, 5, 30.0)),
        ("bundle=64 retries=100", Options(bundle=64, retries=100)),
        ("retries=0", Options(retries=0)),
        ("task_ms=0", Options(task_ms=0.0)),
        ("task_ms=0.25", Options(task_ms=0.25)),
        ("timeout=1ms", Options(timeout_s=0.001)),
        ("timeout=12h", Options(timeout_s=43_200.0)),
        ("timeout=1.5m", Options(timeout_s=90.0)),
        ("retries=1 retries=2", Options(retries=2)),
        ("logs=all", Options(keep_logs=True)),
        ("logs=all logs=failed", Options()),
        ("slots=2", Options(task_slots=2)),
        ("max_fails=20", Options(max_fails="20")),
        ("max_fails=20 max_fails=2.5%", Options(max_fails="2.5%")),
        ("", Options()),
    ],
)
def test_options_are_read(words: str, options: Options) -> None:
    """Each option is read in its unit; the last of two counts."""
    assert options_of(words) == options


_NINES = "9" * 400
_ZEROS = "0" * 309
REFUSED = [
    *(f"timeout={each}" for each in (f"{_NINES}s", f"{_NINES[:128]}s", f"1{_ZEROS}h", f"0.{_ZEROS}1ms", "0s", "0.5ms")),
    *(f"timeout={each}" for each in ("12.001h", "721m", "43201s", "infs", "nans", "inf", "-1s", "1e3s", "5", "1d", "")),
    *(f"task_ms={each}" for each in (_NINES, "inf", "nan", "-1", "1e3", "86400001", "", "x")),
    *(f"retries={each}" for each in ("101", _NINES, "9" * 5_000, "-1", "1.0", "inf", "nan", "")),
    *(f"bundle={each}" for each in ("0", "65", _NINES, "-1", "1.0", "")),
    *(f"{name}=٣" for name in ("bundle", "retries", "task_ms")),
    *("slots", "slots=0", "slots=1025"),
    *("max_fails", "max_fails=0", "max_fails=101%", "max_fails=-1"),
    *("logs", "logs=", "logs=none", "logs=All"),
    *("timeout", "=", "==", "unknown=1", "Bundle=1", f"{_NINES}=1", "bundle:1"),
]


@pytest.mark.parametrize("word", REFUSED, ids=lambda word: word[:24])
def test_an_option_that_cannot_be_used_is_a_reject_and_the_job_runs_without_it(word: str) -> None:
    """What is out of bounds is told with its value, cut short, and the options beside it count."""
    options, (error,) = read_options(header(f"retries=7 {word} bundle=3"))
    assert (options.retries, options.bundle, options.timeout_s, options.task_ms) == (7, 3, None, None)
    assert re.match(rf"option {re.escape(word[:20])}|unknown option", error.reason)
    assert len(error.reason) < 200


def test_a_line_of_nothing_but_wrong_options_makes_a_few_rejects() -> None:
    """The first words are told each, the rest is counted: two megabytes of words can't become a hundred of rejects."""
    line = header("a " * 100_000)
    found = list(pack_bundles([line], 64, has_header=True))
    assert all(isinstance(each, Reject) for each in found)
    assert len(found) == 8
    assert "99,993 more" in str(found[-1])
    assert sum(len(json.dumps(str(each))) for each in found) < len(line.text) / 50


_VALUES = st.one_of(
    st.from_regex(r"\A[0-9]{1,420}(\.[0-9]{1,320})?(ms|s|m|h)?\Z"),
    st.sampled_from(["all", "failed"]),
    st.floats().map(str),
    st.integers().map(str),
    st.text(max_size=20).map(lambda text: "".join(text.split())),
)
_WORDS = st.lists(
    st.tuples(st.sampled_from(["bundle", "task_ms", "retries", "timeout", "logs", "max_fails", "slots"]), _VALUES),
    max_size=6,
)


@given(words=_WORDS, slots=st.integers(1, 4_096), tasks=st.integers(0, 50), size_bytes=st.integers(0, 10**13))
def test_whatever_is_accepted_travels_is_written_down_and_plans(
    words: list[tuple[str, str]], slots: int, tasks: int, size_bytes: int
) -> None:
    """An accepted option survives the message and the table's row, and makes a plan within its bounds."""
    line = header(" ".join(f"{name}={value}" for name, value in words))
    seen = sample([line, *(Line(2 + n, "sleep 1", line.end + 8 * (n + 1)) for n in range(tasks))], whole=False)
    options = seen.options
    size = bundle_size(seen, size_bytes, slots)
    assert 1 <= size <= MAX_BUNDLE_TASKS
    assert ranges_of(size_bytes, gzipped=False) >= 1
    assert shards_of(seen.tasks_of(size_bytes), size) >= 1
    asked: dict[str, Any] = {"retries": options.retries, "timeout_s": options.timeout_s, "keep_logs": options.keep_logs}
    planned = replace(job(), bundle_size=size, max_fails=options.max_fails, task_slots=options.task_slots, **asked)
    item = job_item(planned)
    assert job_of(item) == planned
    for kind in item.values():
        assert "N" not in kind or abs(float(kind["N"])) < 9.9e125
        assert "N" not in kind or not float(kind["N"]) or abs(float(kind["N"])) > 1e-130
    lines = LineNumbers.of([1])
    sent = Bundle(BundleKey("j", 0, 0), lines, ("a",), NOW_MS, NOW_MS, **asked)
    assert decode_bundle(encode_bundle(sent)) == sent
    assert options.timeout_s is None or 0 < options.timeout_s <= MAX_TIMEOUT_S
    assert options.retries is None or 0 <= options.retries <= MAX_RETRIES
