"""How a job's progress looks on terminals of several kinds."""

from dataclasses import replace

import pytest

from cli.views.progress import show_progress
from cloudkon.reports.stats import job_stats
from tests.support.data.recorded import EVENT_MS, Recorded, job, report, result, row
from tests.support.manual_clock import ManualClock


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_bar_fits_its_terminal_and_says_how_far_the_job_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int
) -> None:
    """The counts are whole at every width, and in the locale C the bar is drawn in ASCII."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("NO_COLOR", "1")
    the_job = replace(job(), id="tasks-abc")
    recorded = Recorded(the_job, [row([result(), None])], [report(2)])
    show_progress([job_stats(recorded, the_job, EVENT_MS + 1_000)], ManualClock())
    drawn = capsys.readouterr().err
    assert "1/2 succeeded" in drawn
    assert "[##########..........]" in drawn
