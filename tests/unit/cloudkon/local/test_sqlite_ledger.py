"""What the ledger in SQLite does as a file; its answers to the port are in the contract suite."""

import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from cloudkon.errors import InputError, UnavailableError
from cloudkon.ledger.lease import BundleState, Claimed, LeaseLost, Mark
from cloudkon.local.ledger import SqliteLedger
from tests.support.data.rows import GUARD_MS, NOW_MS, ask, claimed, job, key, succeeded, worker_status
from tests.support.ordinary import ordinary_user


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def _open(path: Path | None) -> SqliteLedger:
    return SqliteLedger(path, guard_ms=GUARD_MS)


def test_a_ledger_outlives_its_process(path: Path) -> None:
    """What was written is there when the file is opened again."""
    with closing(_open(path)) as ledger:
        ledger.open(job())
        ledger.complete(claimed(ledger, ask()), [succeeded()] * 3, NOW_MS)
    with closing(_open(path)) as ledger:
        assert ledger.job(job().id) == job()
        assert [row.state for row in ledger.bundles(job())] == [BundleState.DONE]


def test_missing_folders_are_made(tmp_path: Path) -> None:
    """A ledger in a folder that does not exist yet makes it."""
    with closing(_open(tmp_path / "share" / "cloudkon" / "ledger.db")) as ledger:
        assert ledger.recent(1) == []


def test_an_empty_file_becomes_a_ledger(path: Path) -> None:
    """A file without content, as mktemp makes one, is as good as none."""
    path.touch()
    with closing(_open(path)) as ledger:
        assert ledger.recent(1) == []


def test_another_process_reads_while_we_write(path: Path) -> None:
    """Stats can be read, by another process, in the middle of a write."""
    script = (
        "import sys; from pathlib import Path; from cloudkon.local.ledger import SqliteLedger\n"
        "print([job.id for job in SqliteLedger(Path(sys.argv[1]), guard_ms=0).recent(5)])"
    )
    with closing(_open(path)) as ledger:
        ledger.open(job())
        with ledger._file.writing() as connection:
            connection.execute("DELETE FROM jobs")
            read = subprocess.run(
                [sys.executable, "-c", script, path], capture_output=True, text=True, check=True, timeout=60
            )
    assert read.stdout.strip() == f"['{job().id}']"


def test_a_reader_holds_nobody_up(path: Path) -> None:
    """Who reads the file, for as long as it takes, keeps no worker from writing."""
    with closing(_open(path)) as ledger, closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM bundles").fetchall()
        claimed(ledger, ask())
        assert reader.execute("SELECT count(*) FROM bundles").fetchone() == (0,)


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    """A workload named as the ledger by mistake is refused, and left as it is."""
    path.write_text("sleep 1\n" * 500)
    with pytest.raises(InputError, match=r"ledger\.db can't be used as a ledger: file is not a database"):
        _open(path)
    assert path.read_text() == "sleep 1\n" * 500


def test_another_program_s_database_is_refused(path: Path) -> None:
    """A database that CloudKon did not make is refused, and left as it is."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notes (text)")
    before = path.read_bytes()
    with pytest.raises(InputError, match="another program's database"):
        _open(path)
    assert path.read_bytes() == before


def test_a_ledger_of_an_earlier_version_is_upgraded(path: Path) -> None:
    """A ledger of an earlier version is read and written on as if it had always had every column."""
    with closing(_open(path)) as ledger:
        ledger.open(job("first"))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE workers DROP COLUMN failed")
        connection.execute("ALTER TABLE jobs DROP COLUMN max_fails")
        connection.execute("ALTER TABLE jobs DROP COLUMN task_slots")
        connection.execute("DROP TABLE task_times")
        connection.execute("ALTER TABLE jobs DROP COLUMN keep_logs")
        connection.execute("ALTER TABLE bundles DROP COLUMN survivors")
        connection.execute("ALTER TABLE workers DROP COLUMN instance")
        connection.execute("ALTER TABLE workers DROP COLUMN waited_ms")
        connection.execute("ALTER TABLE jobs DROP COLUMN form")
        connection.execute("ALTER TABLE jobs DROP COLUMN seal_key")
        connection.execute("ALTER TABLE jobs DROP COLUMN trace")
        connection.execute("ALTER TABLE fleet DROP COLUMN throttled")
        connection.execute("PRAGMA user_version = 2")
    with closing(_open(path)) as ledger:
        assert ledger.job("first") == job("first")
        second = job(
            "second",
            trace="1-a",
            seal_key="b",
            keep_logs=True,
            form='{"each":"exec echo {}"}',
            max_fails="5%",
            task_slots=2,
        )
        assert ledger.open(second) == ledger.job("second") == second
        assert ledger.task_time("sleep") is None


def test_a_ledger_of_another_version_is_refused(path: Path) -> None:
    """A ledger whose tables we do not know is refused with both versions."""
    _open(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(InputError, match="is a ledger of version 99, and this CloudKon reads version 14"):
        _open(path)


@pytest.mark.parametrize("place", ["", "file/ledger.db", "/proc/ledger.db", "nul\0.db"])
def test_a_place_that_can_not_be_written_is_refused(tmp_path: Path, place: str) -> None:
    """A folder, a path through a file and a folder without write access are refused in one line."""
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="can't be used as a ledger") as caught:
        _open(tmp_path / place)
    assert "\n" not in str(caught.value)


def test_a_file_without_write_access_is_refused() -> None:
    """A ledger that may only be read is refused."""
    with ordinary_user() as folder:
        path = folder / "ledger.db"
        _open(path).close()
        path.chmod(0o400)
        folder.chmod(0o500)
        with pytest.raises(InputError, match=r"can't be used as a ledger: .*: copy it to one that can\.$"):
            _open(path)


def test_a_ledger_that_breaks_later_is_unavailable(path: Path) -> None:
    """An error of SQLite in the middle of a run is one that may be tried again."""
    with closing(_open(path)) as ledger:
        with ledger._file.writing() as connection:
            connection.execute("DROP TABLE bundles")
        with pytest.raises(UnavailableError, match=r"ledger\.db did not answer: no such table"):
            ledger.claim(ask())
        ledger.open(job())  # the failed transaction was rolled back: the next one can begin


def test_threads_that_race_for_bundles_win_each_once(path: Path) -> None:
    """Of many threads, over two connections, that claim the same bundles, exactly one is given each."""
    with closing(_open(path)) as one, closing(_open(path)) as other:
        start = threading.Barrier(6)

        def race(number: int) -> list[int]:
            start.wait()
            ledger = (one, other)[number % 2]
            claims = [ask(key(bundle), owner=f"worker-{number}") for bundle in range(40)]
            return [claim.key.number for claim in claims if isinstance(ledger.claim(claim), Claimed)]

        with ThreadPoolExecutor(6) as pool:
            won = Counter(number for numbers in pool.map(race, range(6)) for number in numbers)
    assert won == dict.fromkeys(range(40), 1)


def test_processes_that_make_a_ledger_together_share_it(path: Path) -> None:
    """Of connections that open a new file at the same moment, each is given the one ledger."""
    start = threading.Barrier(8)

    def make(number: int) -> None:
        start.wait()
        with closing(_open(path)) as ledger:
            ledger.open(job(f"job-{number}"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(make, range(8)))
    with closing(_open(path)) as ledger:
        assert len(ledger.recent(99)) == 8


def test_bundles_are_told_page_by_page(path: Path) -> None:
    """A job of more bundles than a page is told whole, in order, also while it goes on."""
    with closing(_open(path)) as ledger:
        for number in range(1_100):
            ledger.claim(ask(key(number), tasks=1))
        rows = ledger.bundles(job())
        numbers = [next(rows).key.number]
        ledger.claim(ask(key(1_100), tasks=1))
        numbers += [row.key.number for row in rows]
    assert numbers == list(range(1_101))


def test_broken_leases_are_free_at_once(path: Path) -> None:
    """The leases of a process that died are broken: what it held is claimed at once, with its results."""
    with closing(_open(path)) as ledger:
        done, held = claimed(ledger, ask(key(0))), claimed(ledger, ask(key(1)))
        elsewhere = claimed(ledger, ask(key(0, job_="another-abcdefghijkl")))
        ledger.complete(done, [succeeded()] * 3, NOW_MS)
        ledger.checkpoint(held, [succeeded(), None, None], held.until_ms)
        assert ledger.break_leases(job().id) == 1
        answer = ledger.claim(ask(key(1), owner="b", now_ms=NOW_MS + 1))
        assert isinstance(answer, Claimed)
        assert (answer.lease.attempt, answer.results) == (2, (succeeded(), None, None))
        assert ledger.checkpoint(held, [None] * 3, held.until_ms) == LeaseLost()
        assert ledger.checkpoint(elsewhere, [None] * 3, held.until_ms) != LeaseLost()
        assert ledger.break_leases("nobody-knows") == 0


def test_the_death_of_one_worker_is_a_strike_and_that_of_its_whole_run_is_none(path: Path) -> None:
    """A mark of a worker that died alone stays; what ended the run was no task, and the next owner is careful."""
    with closing(_open(path)) as ledger:
        for attempt in range(1, 5):
            lease = claimed(ledger, ask(owner=f"w{attempt}"))
            ledger.checkpoint(lease, [None] * 3, lease.until_ms, Mark(1, attempt))
            ledger.break_leases_of(job().id, "somebody-else")
            ledger.break_leases_of(job().id, f"w{attempt}")
        assert claimed(ledger, ask(owner="w5")).mark == Mark(1, 4)
        ledger.break_leases(job().id)
        lease = claimed(ledger, ask(owner="w6"))
        assert (lease.mark, lease.fruitless) == (Mark(1, 3), 2)


def test_ledgers_in_memory_are_private() -> None:
    """A ledger without a path shares nothing with another."""
    with closing(_open(None)) as one, closing(_open(None)) as other:
        one.open(job())
        assert other.recent(5) == []


def test_workers_are_forgotten() -> None:
    """Who was not heard of for minutes is cleared away by the next who announces itself."""
    with closing(_open(None)) as ledger:
        for worker, age_ms in (("gone", 300_001), ("silent", 300_000), ("here", 0)):
            ledger.announce(worker_status(worker, seen_ms=NOW_MS - age_ms))
        assert [status.worker for status in ledger.fleet(0)] == ["here", "silent"]
