"""What every ledger makes of a job that is cancelled, paused and resumed."""

from dataclasses import replace

import pytest

from cloudkon.ports import Ledger
from tests.support.data import rows

_JOB = "sleeps-abcdefghijkl"
_LATER_MS = rows.NOW_MS + 1_000


def test_a_cancelled_job_says_when(ledger: Ledger) -> None:
    """A cancelled job is so for whoever reads it or lists it, since the first time it was cancelled."""
    opened = ledger.open(rows.job())
    cancelled = replace(opened, cancelled_ms=_LATER_MS)
    assert ledger.cancel(_JOB, _LATER_MS) == cancelled
    assert ledger.cancel(_JOB, _LATER_MS + 5) == cancelled
    assert (ledger.job(_JOB), list(ledger.recent(5))) == (cancelled, [cancelled])


def test_a_paused_job_says_why(ledger: Ledger) -> None:
    """A paused job says since when and why; the first reason stands."""
    opened = ledger.open(rows.job())
    paused = replace(opened, paused_ms=_LATER_MS, pause_reason="lunch")
    assert ledger.pause(_JOB, "lunch", _LATER_MS) == paused
    assert ledger.pause(_JOB, "dinner", _LATER_MS + 5) == paused
    assert (ledger.job(_JOB), list(ledger.recent(5))) == (paused, [paused])


def test_a_resumed_job_goes_on(ledger: Ledger) -> None:
    """A resumed job is open again and keeps that somebody resumed it; it can be paused anew."""
    opened = ledger.open(rows.job())
    ledger.pause(_JOB, "lunch", _LATER_MS)
    resumed = replace(opened, resumed_ms=_LATER_MS + 5)
    assert ledger.resume(_JOB, _LATER_MS + 5) == resumed
    assert ledger.resume(_JOB, _LATER_MS + 9) == resumed
    assert (ledger.job(_JOB), list(ledger.recent(5))) == (resumed, [resumed])
    again = ledger.pause(_JOB, "dinner", _LATER_MS + 20)
    assert again == replace(resumed, paused_ms=_LATER_MS + 20, pause_reason="dinner")


def test_cancelling_ends_a_pause(ledger: Ledger) -> None:
    """A paused job that is cancelled is no longer paused, and stays cancelled whatever is asked of it."""
    opened = ledger.open(rows.job())
    ledger.pause(_JOB, "lunch", _LATER_MS)
    cancelled = replace(opened, cancelled_ms=_LATER_MS + 5)
    assert ledger.cancel(_JOB, _LATER_MS + 5) == cancelled
    assert ledger.pause(_JOB, "dinner", _LATER_MS + 6) == cancelled
    assert ledger.resume(_JOB, _LATER_MS + 7) == cancelled
    assert list(ledger.recent(5)) == [cancelled]


def test_a_job_that_was_never_paused_is_not_resumed(ledger: Ledger) -> None:
    """Resuming a job that runs leaves it as it is."""
    opened = ledger.open(rows.job())
    assert ledger.resume(_JOB, _LATER_MS) == opened
    assert ledger.job(_JOB) == opened


@pytest.mark.parametrize("verb", ["cancel", "pause", "resume"])
def test_an_unknown_job_is_none(ledger: Ledger, verb: str) -> None:
    """Nothing is written down for a job that nobody opened."""
    ask = {"cancel": lambda: ledger.cancel(_JOB, _LATER_MS), "resume": lambda: ledger.resume(_JOB, _LATER_MS)}
    assert ask.get(verb, lambda: ledger.pause(_JOB, "lunch", _LATER_MS))() is None
    assert (ledger.job(_JOB), list(ledger.recent(5))) == (None, [])


def test_opening_a_job_again_keeps_its_flags(ledger: Ledger) -> None:
    """A second event of the same workload neither resumes a paused job nor revives a cancelled one."""
    ledger.open(rows.job())
    paused = ledger.pause(_JOB, "lunch", _LATER_MS)
    assert ledger.open(rows.job()) == paused
    cancelled = ledger.cancel(_JOB, _LATER_MS)
    assert ledger.open(rows.job()) == cancelled
    assert list(ledger.recent(5)) == [cancelled]
