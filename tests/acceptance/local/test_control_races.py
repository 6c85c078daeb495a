"""Other processes pause, resume and cancel a LOCAL job on its ledger's file while twenty slots run it."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.waiting import eventually
from tests.support.worlds.embedded_aws import run_cli

TASKS, MS, SLOTS = 240, 40, 20
PATIENCE_S = 60
_CHANGING = """
import random, sys
from pathlib import Path
from cloudkon.clock import SystemClock
from cloudkon.local.ledger import SqliteLedger

path, begun, stop, seed, *verbs = sys.argv[1:]
ledger, clock, chance = SqliteLedger(Path(path), guard_ms=2_000), SystemClock(), random.Random(int(seed))
Path(begun + seed).touch()
while not ledger.recent(1):
    clock.sleep(0.01)
job = ledger.recent(1)[0].id
while not Path(stop).exists():
    match chance.choice(verbs):
        case "pause": ledger.pause(job, "a look at it", clock.now_ms())
        case "resume": ledger.resume(job, clock.now_ms())
        case "cancel": ledger.cancel(job, clock.now_ms())
    clock.sleep(chance.uniform(0, 0.02))
"""


@contextmanager
def changing(environment: dict[str, str], ledger: Path, *verbs: str) -> Iterator[None]:
    """Two processes that change the first job of a ledger all the time, each as it likes."""
    begun, stop = ledger.with_name("begun"), ledger.with_name("stop")
    commands = [[sys.executable, "-c", _CHANGING, *map(str, (ledger, begun, stop, seed)), *verbs] for seed in (1, 2)]
    processes = [subprocess.Popen(command, env=environment | {"PYTHONPATH": str(Path.cwd())}) for command in commands]
    try:
        eventually(lambda: len(list(ledger.parent.glob("begun*"))) == 2)
        yield
    finally:
        stop.touch()
        assert [process.wait(PATIENCE_S) for process in processes] == [0, 0]


@pytest.mark.parametrize("verbs", [("pause", "resume"), ("pause", *["resume"] * 40, "cancel")], ids=["pause", "cancel"])
def test_a_job_that_others_change_all_the_time_runs_each_task_once(
    environment: dict[str, str], tmp_path: Path, verbs: tuple[str, ...]
) -> None:
    """It stops and goes on; what it has begun ends; a cancelled job's rest is run by its retry, and nothing twice."""
    workload, notes, ledger = tmp_path / "t.txt", tmp_path / "notes", tmp_path / "l.sqlite3"
    notes.touch()
    workload.write_text("#cloudkon: bundle=4\n" + "".join(f"note {notes} {n} {MS}\n" for n in range(TASKS)))
    run = ["run", "LOCAL", str(workload), "-t", str(SLOTS), "--ledger", str(ledger), "--json"]
    run += ["--tasks", "tests.support.data.user_tasks"]
    with changing(environment, ledger, *verbs):
        for more in ([], ["--resume"]):
            answer = run_cli(environment, *run, *more)
            assert "Traceback" not in answer.stderr
            assert answer.returncode in (0, 1, 2)  # 2: what was cancelled is not resumed
    (job,) = map(json.loads, run_cli(environment, "jobs", "--ledger", str(ledger), "--json").stdout.splitlines())
    more = ["retry", job["job"], "--ledger", str(ledger)] if "cancel" in verbs else [*run, "--resume"]
    if len(notes.read_text().split()) < TASKS:
        last = run_cli(environment, *more)
        assert last.returncode == 0, last.stderr
    runs = Counter(map(int, notes.read_text().split()))
    assert runs.keys() == set(range(TASKS))
    assert set(runs.values()) == {1}
