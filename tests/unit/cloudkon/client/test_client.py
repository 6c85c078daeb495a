"""A client of this process: functions over items, their values, and what is left of it."""

import threading
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cloudkon import Client, TaskError
from cloudkon.errors import CloudKonError, InputError
from tests.support.data.client_functions import RAN, add, birthday, both, large, marked, picky, raw, root, square, talks
from tests.support.waiting import eventually


def open_files_and_threads() -> tuple[set[str], set[threading.Thread]]:
    """The files of this process that exist, and its threads."""
    files = {str(entry.resolve()) for entry in Path("/proc/self/fd").iterdir() if entry.exists()}
    return files, set(threading.enumerate())


def test_values_come_in_the_order_of_the_items(client: Client) -> None:
    """map returns what the function returns for each item, in the items' order, however they are run."""
    assert list(client.map(square, range(200))) == [x * x for x in range(200)]


def test_no_items_are_no_values(client: Client) -> None:
    """A map over nothing is a job without tasks, which has ended."""
    assert list(client.map(square, [])) == []


def test_several_iterables_are_walked_together(client: Client) -> None:
    """As by the built-in map, the shortest ends it."""
    assert list(client.map(add, [1, 2, 3], [10, 20])) == [11, 22]


def test_a_value_is_what_the_annotation_says(client: Client) -> None:
    """What travels as text or a list comes back as the annotated type; without one it is JSON's."""
    assert list(client.map(birthday, ["1815-12-10"])) == [date(2000, 12, 10)]
    assert list(client.map(root, [4])) == [2.0]


@pytest.mark.parametrize("function", [large, both])
def test_large_values_are_read_from_the_store(client: Client, function: Any) -> None:
    """A value that is too large for the ledger comes back whole, also of a task that has stored files of its own."""
    assert [len(value) for value in client.map(function, [5, 5000])] == [5, 5000]


def test_bytes_come_back_as_bytes(client: Client) -> None:
    """Bytes are stored as a file, and are the value all the same."""
    assert list(client.map(raw, [3])) == [b"\0\0\0"]


def test_a_bad_item_is_refused_before_anything_runs(client: Client) -> None:
    """The first item that JSON can't carry is named, no task has run, and no file is left."""
    with pytest.raises(InputError, match="item 2: JSON can't carry a value of type object"):
        client.map(square, [1, 2, object()])
    assert RAN == []
    assert not list(client.backend.folder.glob("submitted/*"))


def test_a_failed_item_raises_its_error_in_its_place(client: Client) -> None:
    """The values before it are yielded; the error tells the text, the line, the job and the place in the code."""
    values = client.map(picky, [1, 2, 3, 4])
    assert [next(values), next(values)] == [1, 2]
    with pytest.raises(TaskError, match="ValueError: not 3") as raised:
        next(values)
    assert (raised.value.line, raised.value.job, raised.value.state) == (3, values.job.id, "failed")
    assert "client_functions.py" in (raised.value.raised_at or "")


def test_options_are_the_headers(client: Client) -> None:
    """Options of a map hold for its tasks, and do not shift its values."""
    tried = client.map(picky, [3, 3], retries=1, bundle=2)
    with pytest.raises(TaskError):
        next(tried)
    assert {result.runs for result in tried.job.results()} == {2}
    with pytest.raises(InputError, match="Option bundle=65"):
        client.map(square, [1], bundle=65)


def test_a_marked_function_keeps_its_marks(client: Client) -> None:
    """A function with @task runs under its own name, with its own retries."""
    assert list(client.map(marked, [7], timeout_s=60)) == [-7]
    assert RAN == [7, 7, 7]


def test_a_temporary_client_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its block there is no thread, no open file and no folder of it; nothing was written elsewhere."""
    monkeypatch.setenv("CLOUDKON_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    before = open_files_and_threads()
    with Client(temporary=True) as client:
        assert list(client.map(large, [5000])) == ["x" * 5000]
    assert open_files_and_threads() == before
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(CloudKonError, match="This client is closed"):
        client.map(square, [1])


def test_without_a_block_the_threads_end_by_themselves(client: Client) -> None:
    """A worker that has had nothing to do for a second ends, and the next job starts another."""
    assert list(client.map(square, [1])) == [1]
    eventually(lambda: not any(thread.name.startswith("cloudkon") for thread in threading.enumerate()))
    assert list(client.map(square, [2])) == [4]


def test_prints_of_tasks_go_to_their_logs_too(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    """What a task prints is shown as by any function, and a program's own prints stay on stdout."""
    job = client.map(talks, [1]).job
    print("mine")  # noqa: T201 (what is tested)
    job.wait()
    client.close()
    out = capsys.readouterr().out
    assert "mine\n" in out
    assert "said 1\n" in out


@pytest.mark.parametrize("given", [{"threads": 2}, {"tasks": ["m"]}, {"allow": ["shell"]}, {"temporary": True}])
def test_what_is_for_this_process_contradicts_a_stage(given: dict[str, Any]) -> None:
    """A stage's workers have been started with their own handlers and permissions."""
    with pytest.raises(InputError, match=f"{next(iter(given))}= is for a client of this process"):
        Client(stage="dev", **given)


def test_the_environment_does_not_choose_a_stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Client() is this process also where CLOUDKON_STAGE is set, as run LOCAL is."""
    monkeypatch.setenv("CLOUDKON_STAGE", "prod")
    with Client(ledger=tmp_path / "ledger.sqlite3") as client:
        assert list(client.map(square, [3])) == [9]
