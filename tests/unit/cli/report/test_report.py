"""The command that writes a page about a job, over a ledger file."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.jobs.ledgers import FoundJob, Records
from cli.main import cloudkon_cli
from cli.report.facts import gather
from cloudkon.costs.prices import shipped_prices
from cloudkon.errors import UnavailableError
from cloudkon.ledger.bundle import BundleKey
from cloudkon.ledger.results import TaskResult, TaskState
from cloudkon.local.ledger import SqliteLedger
from cloudkon.local.store import FolderStore
from tests.support.data.recorded import Recorded, job, report, result, row, worker
from tests.support.manual_clock import ManualClock
from tests.support.worlds.local_jobs import mixed_results, write_job, write_rejects

EVIL = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)> "
    "\x1b[31mred\x07 \x00 \u202e\u2028 & 'quoted\" {{ 7*7 }}"
)


class _Page(HTMLParser):
    """What is in a page: its elements with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.data = ""
        self._in = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._in = "data" if dict(attrs).get("id") == "data" else tag

    def handle_data(self, data: str) -> None:
        if self._in == "data":
            self.data += data
        elif self._in not in ("script", "style"):
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    @property
    def json(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.data)
        return told


@pytest.fixture(autouse=True)
def _here(this_machine: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cloudkon_cli, ["report", *arguments], catch_exceptions=False)


def page_of(*arguments: str) -> _Page:
    answer = run("-o", "-", *arguments)
    assert answer.exit_code == 0, answer.output
    return _Page(answer.stdout)


def test_a_report_is_one_file_named_after_its_job(ledger: SqliteLedger, tmp_path: Path) -> None:
    """The page of the latest job is written here, its name is printed, and its three lines are in it."""
    write_job(ledger)
    answer = run()
    assert (answer.exit_code, answer.stdout) == (0, "local-sleeps-abc.html\n")
    page = _Page((tmp_path / "local-sleeps-abc.html").read_text(encoding="utf-8"))
    assert "3 tasks of /home/me/sleeps.txt on 1 worker with up to 4 slots at a time." in page.text
    assert "2 succeeded (66.7%), 1 failed. Most often: ValueError: boom" in page.text
    assert "Nothing was billed" in page.text


def test_a_long_reason_keeps_its_end(ledger: SqliteLedger) -> None:
    """The three lines show the end of a long error too, where programs say why they failed."""
    failed = TaskResult(TaskState.FAILED, 1, 1, 1, recorded_ms=2, error=f"exit code 1: {'at x ' * 50}KeyError: here")
    write_job(ledger, results=[failed, None, None])
    assert re.search(r"Most often: exit code 1: at x [^<]{0,140} \.\.\. [^<]{0,140}KeyError: here", page_of().text)


def test_the_page_asks_for_nothing(ledger: SqliteLedger) -> None:
    """No element of the page names anything outside of it, and its policy forbids to fetch anything."""
    write_job(ledger)
    page = page_of()
    for _, attributes in page.elements:
        for name in ("src", "href", "action", "data", "poster", "srcset"):
            assert re.match(r"data:|#|$", attributes.get(name) or ""), attributes
    [policy] = [each["content"] for tag, each in page.elements if each.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in (policy or "")
    assert "@import" not in page.text
    assert "url(http" not in page.text


def test_whatever_handlers_say_is_text(ledger: SqliteLedger, ledger_file: Path) -> None:
    """Errors, names and reasons that hold markup, scripts or terminal escapes are shown as text, and do nothing."""
    failed = TaskResult(TaskState.FAILED, 1, 1, 1, recorded_ms=2, error=EVIL, raised_at=f"x.py:1 {EVIL}", runs=2)
    ledger_job = write_job(ledger, results=[failed, replace(failed, error=None), mixed_results()[0]], rejected=1)
    write_rejects(ledger_file, ledger_job, [4])
    answer = run("-o", "-")
    page = _Page(answer.stdout)
    assert [tag for tag, _ in page.elements].count("script") == 2
    assert all(tag != "img" for tag, _ in page.elements)
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert "<img src=x onerror=alert(2)>" in page.text
    assert "{{ 7*7 }}" in page.text
    assert not re.search("[\x00\x07\x1b\u202e\u2028]", answer.stdout)
    assert page.json["failures"][0]["example"] == EVIL


def test_an_endless_error_is_cut(ledger: SqliteLedger) -> None:
    """A thousand reasons of a thousand characters each make a page of bounded size, which says what it leaves out."""
    words = [f"{chr(97 + n % 26) * (3 + n // 26)} " * 60 for n in range(400)]
    errors = [TaskResult(TaskState.FAILED, 1, 1, 1, recorded_ms=2, error=word[:1_000]) for word in words]
    write_job(ledger, results=errors)
    page = page_of()
    assert "And 375 more reasons" in page.text
    assert len(page.data) < 400_000


def test_a_job_without_tasks_has_a_page(ledger: SqliteLedger) -> None:
    """Nothing ran, so nothing is drawn, and the page says so."""
    write_job(ledger, results=[])
    page = page_of()
    assert "No task ran." in page.text
    assert "The workload has no tasks" in page.text
    assert page.json["stats"]["tasks"]["total"] == 0


def test_a_run_that_was_stopped_has_a_page(ledger: SqliteLedger) -> None:
    """What was recorded until the run was killed is shown, with the note that it did not end."""
    write_job(ledger, results=[None, None], done=False)
    page = page_of()
    assert "stopped" in page.text
    assert "This run has stopped before its end" in page.text
    assert "2 have no result" in page.text


def test_json_prints_what_is_in_the_page(ledger: SqliteLedger, tmp_path: Path) -> None:
    """With --json the page's data is printed, and no file is written."""
    write_job(ledger)
    told = json.loads(run("--json").stdout)
    assert not list(tmp_path.glob("*.html"))
    assert told["stats"]["tasks"]["total"] == 3
    assert {name: told[name] for name in told if name != "made_ms"} == {
        name: value for name, value in page_of().json.items() if name != "made_ms"
    }


def test_another_file_is_not_written_over(ledger: SqliteLedger, tmp_path: Path) -> None:
    """A file that is no report is left as it is; a report is made anew."""
    write_job(ledger)
    notes = tmp_path / "notes.html"
    notes.write_text("<h1>mine</h1>", encoding="utf-8")
    refused = run("-o", "notes.html")
    assert refused.exit_code == 2
    assert "is no report of CloudKon" in refused.stderr
    assert notes.read_text(encoding="utf-8") == "<h1>mine</h1>"
    assert [run("-o", "mine.html").exit_code for _ in range(2)] == [0, 0]
    assert run("-o", "no/such/folder/a.html").exit_code == 2


class _Throttled(Recorded):
    """A ledger that does not answer at first."""

    refusals = 3

    def dispatched(self, job: str) -> Any:
        if self.refusals:
            self.refusals -= 1
            raise UnavailableError("The table throttled the read.")
        return super().dispatched(job)


def gathered(recorded: Recorded, tmp_path: Path, clock: ManualClock, said: list[str]) -> Any:
    records = Records(recorded, FolderStore(tmp_path))  # type: ignore[arg-type]  # it is only read
    assert recorded.the_job is not None
    return gather(FoundJob(recorded.the_job, records), clock, shipped_prices(), 30 * 86_400, said.append)


def test_a_ledger_that_is_throttled_is_asked_again(tmp_path: Path) -> None:
    """The report waits and says so; what it shows is of one whole reading."""
    recorded = _Throttled(job(), [row([result(), result()])], [report(2)], [worker()])
    said: list[str] = []
    facts = gathered(recorded, tmp_path, ManualClock(), said)
    assert facts.stats.tasks.succeeded == 2
    assert sum(facts.activity.recorded.values()) == 2
    assert said == ["The table throttled the read. Asking again in 5 s."] * 3


def test_a_ledger_that_stays_silent_is_an_error(tmp_path: Path) -> None:
    """After half a minute the error is told, and no page is made."""
    recorded = _Throttled(job(), [], [], [])
    recorded.refusals = 1_000
    with pytest.raises(UnavailableError):
        gathered(recorded, tmp_path, ManualClock(), [])


def test_bundles_that_the_ledger_has_forgotten_are_told(tmp_path: Path) -> None:
    """Rows expire after a month: of an old job the page shows what is left, and says how much is missing."""
    rows = [row([result()] * 2, number=1)]
    recorded = Recorded(job(), rows, [report(20, bundles=10)], [worker()])
    clock = ManualClock()
    clock.advance(400 * 86_400)
    facts = gathered(recorded, tmp_path, clock, [])
    assert facts.forgotten_bundles == 9


def test_lines_are_numbers_of_the_whole_workload(tmp_path: Path) -> None:
    """A task of the second range is named by its line in the file, not in the range."""
    second = replace(row([result(ms=9_000)], first_line=5), key=BundleKey("tasks-abc", 1, 0))
    recorded = Recorded(job(ranges=2), [second], [report(100), report(1, range_=1, lines=1)], [worker()])
    facts = gathered(recorded, tmp_path, ManualClock(), [])
    [longest] = facts.activity.stragglers.longest_first()
    assert facts.line_of(longest.place) == 105
