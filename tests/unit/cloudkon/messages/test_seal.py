"""What tells the dispatcher's bundles from others."""

from dataclasses import replace
from typing import Any

import pytest

from cloudkon.ledger.bundle import Bundle, BundleKey, LineNumbers
from cloudkon.messages.seal import seal, why_foreign
from cloudkon.messages.wire import decode_bundle, encode_bundle
from tests.support.data.rows import NOW_MS, job

KEY = "00112233445566778899aabbccddeeff"
JOB = replace(job(), seal_key=KEY)
BARE = Bundle(BundleKey(JOB.id, 0, 3, 1), LineNumbers.of([4, 5]), ("a", "b"), NOW_MS, NOW_MS + 1, 2, 30.0)
SEALED = replace(BARE, seal=seal(BARE, KEY))


def test_a_sealed_bundle_belongs_to_its_job_after_its_travel() -> None:
    """What the dispatcher has sealed is known again from the message."""
    assert why_foreign(decode_bundle(encode_bundle(SEALED)), JOB) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"key": BundleKey(JOB.id, 0, 4, 1)},
        {"key": BundleKey(JOB.id, 1, 3, 1)},
        {"key": BundleKey(JOB.id, 0, 3, 2)},
        {"lines": LineNumbers.of([4, 6])},
        {"lines": LineNumbers.of([1])},
        {"tasks": ("a", "c")},
        {"tasks": ("a",)},
        {"event_ms": NOW_MS + 1},
        {"sent_ms": NOW_MS},
        {"retries": 3},
        {"retries": None},
        {"timeout_s": 31.0},
        {"timeout_s": None},
        {"seal": None},
        {"seal": "0" * 32},
        {"seal": seal(BARE, "f" * 32)},
    ],
    ids=lambda changes: f"{changes!s:.50}",
)
def test_a_bundle_that_was_changed_belongs_to_no_job(changes: dict[str, Any]) -> None:
    """Another place, other lines, tasks or options, or another key's seal are not the dispatcher's."""
    assert "was not sent by the dispatcher" in str(why_foreign(replace(SEALED, **changes), JOB))


def test_a_bundle_of_an_unknown_job_belongs_to_none() -> None:
    """A job that the ledger does not know has no bundles."""
    assert why_foreign(SEALED, None) == f"There is no job {JOB.id} in the ledger."


def test_a_job_of_an_earlier_version_takes_bundles_without_a_seal() -> None:
    """What was opened before there were seals still runs."""
    assert why_foreign(BARE, job()) is None
