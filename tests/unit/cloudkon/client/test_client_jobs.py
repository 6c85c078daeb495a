"""Jobs of a client of this process: their lines, their results, and how they end."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from cloudkon import Client, Job, JobStoppedError
from cloudkon.errors import InputError, NotFoundError
from tests.support.data.client_functions import CROWDS, GATE, Crowd, Gate, counted, marked, picky, waits
from tests.support.waiting import eventually


def opened_once(is_time: Callable[[], bool]) -> None:
    eventually(is_time)
    GATE.opened.set()


def test_lines_are_submitted_in_any_form(tmp_path: Path) -> None:
    """A text, single lines, objects and a file are workloads; each line's result comes with its number and its id."""
    file = tmp_path / "tasks.txt"
    file.write_text("# a comment\nmarked 1\n", encoding="utf-8")
    with Client(tasks=[marked], ledger=tmp_path / "ledger.sqlite3", threads=1) as client:
        jobs = [
            client.submit("sleep 0\nsleep 1\n"),
            client.submit(["sleep 0", {"task": "sleep", "args": [1], "id": "mine"}], name="mixed"),
            client.submit(file, name="ignored"),
        ]
        found = [sorted((result.line, result.state, result.id) for result in job.results()) for job in jobs]
    assert found == [
        [(1, "succeeded", None), (2, "succeeded", None)],
        [(1, "succeeded", None), (2, "succeeded", "mine")],
        [(2, "succeeded", None)],
    ]
    assert jobs[1].id.startswith("local-mixed-")
    assert jobs[2].id.startswith("local-tasks-")


def test_the_name_of_a_file_is_not_taken_for_a_line(client: Client, tmp_path: Path) -> None:
    """A text that names a file is most likely meant to be that file, so it is refused; so are odd items."""
    file = tmp_path / "tasks.txt"
    file.write_text("sleep 0\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"Name the file: Path\("):
        client.submit(str(file))
    with pytest.raises(InputError, match="item 1: a task is one line"):
        client.submit(["sleep 0", "sleep 1\nsleep 2"])
    with pytest.raises(InputError, match=r"item 0: a line of text.*map\(\)"):
        client.submit([1])  # type: ignore[list-item]


def test_failed_tasks_are_listed_with_their_lines(client: Client) -> None:
    """failed() has the text of each line that did not succeed, whether it ran or not, in order."""
    job = client.submit(["sleep 0", "nothing 1", "sleep 'x", {"task": "sleep", "args": [-1]}])
    stats = job.wait()
    assert [(result.line, result.state, result.text) for result in job.failed()] == [
        (2, "rejected", "nothing 1"),
        (3, "rejected", "sleep 'x"),
        (4, job.failed()[2].state, '{"task": "sleep", "args": [-1]}'),
    ]
    assert (stats.tasks.succeeded, stats.tasks.total) == (1, 4)


def test_results_come_as_soon_as_they_are_there(client: Client, gate: Gate) -> None:
    """A result is yielded while other tasks of the job still run."""
    job = client.map(waits, [1], bundle=1).job
    other = client.submit(["sleep 0"])
    assert next(other.results()).succeeded
    with pytest.raises(TimeoutError, match="has not ended within 0 s"):
        job.wait(timeout_s=0)
    gate.opened.set()
    assert [result.value for result in job.results()] == [1]


def test_a_job_is_found_again_by_its_id(tmp_path: Path) -> None:
    """Another client over the same ledger reads a job that an earlier one has run; an unknown id is an error."""
    ledger = tmp_path / "ledger.sqlite3"
    with Client(ledger=ledger, threads=1) as client:
        job = client.submit(["sleep 0"])
    with Client(ledger=ledger) as client:
        assert [result.line for result in client.job(job.id).results()] == [1]
        with pytest.raises(NotFoundError, match="There is no job 'other'"):
            client.job("other")


def test_a_cancelled_job_finishes_what_runs(client: Client, gate: Gate) -> None:
    """Tasks that run when their job is cancelled are recorded, the others never run, and results() ends."""
    job = client.map(waits, range(20), bundle=1).job
    assert gate.begun.wait(60)
    job.cancel()
    gate.opened.set()
    results = list(job.results())
    assert 0 < len(results) < 20
    assert job.stats().state == "cancelled"


def test_a_closed_iterator_cancels_the_rest(client: Client, gate: Gate) -> None:
    """Whoever takes no more values wants no more of them computed."""
    values = client.map(waits, range(20), bundle=1)
    gate.opened.set()
    next(values)
    values.close()
    assert values.job.stats().state == "cancelled"


def test_a_paused_job_says_how_it_goes_on(client: Client, gate: Gate) -> None:
    """Whoever waits for a paused job is told so; resumed, it runs to its end, each task once."""
    values = client.map(waits, range(12), bundle=1)
    assert gate.begun.wait(60)
    client.backend.ledger.pause(values.job.id, "the database is down", 1)
    noticed = client.backend.wait_for_news(client.backend.wait_for_news(-1, 0), 60)  # it looks at its jobs all the time
    client.backend.wait_for_news(noticed, 60)
    gate.opened.set()
    with pytest.raises(JobStoppedError, match=r"is paused: the database is down.*resume"):
        values.job.wait()
    values.job.resume()
    assert values.job.wait().executions == 12
    assert sorted(result.value for result in values.job.results()) == list(range(12))


def test_an_exception_in_the_block_stops_the_jobs(tmp_path: Path, gate: Gate) -> None:
    """What was begun ends, the rest is kept, and a client that knows the function lets it go on."""
    ledger = tmp_path / "ledger.sqlite3"
    jobs: list[Job] = []

    def interrupted() -> None:
        with Client(threads=1, ledger=ledger) as client:
            jobs.append(client.map(waits, range(5), bundle=1).job)
            assert gate.begun.wait(60)
            threading.Thread(target=opened_once, args=(lambda: client.backend._is_closed,)).start()  # type: ignore[attr-defined]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with Client(threads=1, ledger=ledger) as client:
        job = client.job(jobs[0].id)
        with pytest.raises(JobStoppedError, match="was stopped before its end"):
            job.wait()
        client.permitted(waits)
        job.resume()
        assert job.wait().executions == 5


def test_a_limit_of_failures_pauses_the_rest(client: Client) -> None:
    """With max_fails the rest does not run, the error says why, and resume runs it: each task once."""
    job = client.map(picky, range(1, 1000), max_fails=5).job
    with pytest.raises(JobStoppedError, match="is paused: max_fails=5: 5 of its tasks have failed"):
        job.wait()
    assert job.stats().tasks.pending > 0
    job.resume()
    assert (job.wait().executions, len(job.failed())) == (999, 333)


@pytest.mark.parametrize(("threads", "slots", "at_once"), [(4, 2, 2), (5, 2, 2), (2, 3, 1), (3, 1, 3)])
def test_a_task_may_take_several_slots(tmp_path: Path, threads: int, slots: int, at_once: int) -> None:
    """As many tasks run at a time as have their slots, and never more; a task of too many slots has all of them."""
    CROWDS.append(Crowd(at_once))
    with Client(threads=threads, ledger=tmp_path / "ledger.sqlite3") as client:
        assert list(client.map(counted, range(12), slots=slots)) == list(range(12))
    assert CROWDS[-1].most == at_once
