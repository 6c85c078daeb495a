import json
import threading
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import cloudkon_cli
from cli.running.chaos import Chaos
from cli.running.local_runner import LocalRun
from cloudkon.clock import SystemClock
from cloudkon.handlers.registry import Registry, task
from cloudkon.local.queue import Depth
from cloudkon.reports.stats import job_stats
from cloudkon.settings import Settings

TASKS = 150
_PATIENCE_S = 60.0
pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def workload(tmp_path: Path) -> Path:
    path = tmp_path / "tasks.txt"
    path.write_text("#cloudkon: bundle=5\n" + "".join(f"note {number}\n" for number in range(TASKS)), encoding="utf-8")
    return path


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_bad_day_changes_no_result(workload: Path, tmp_path: Path, seed: int) -> None:
    """Whatever fails, every task is run and recorded once as succeeded, told once, and no message is left."""
    ran: Counter[int] = Counter()
    told: list[int] = []

    @task("note")
    def note(number: str) -> None:
        ran[int(number)] += 1

    chaos = Chaos(seed, SystemClock())
    run = LocalRun(
        workload,
        tmp_path / "ledger.sqlite3",
        Registry([note]),
        slots=2,
        settings=Settings(drain_s=5.0),
        clock=SystemClock(),
        finished=lambda tasks: told.extend(task["task"] for task in tasks),
        chaos=chaos,
    )
    job = run.open(resume=False)
    watchdog = threading.Timer(_PATIENCE_S, run.stop)  # what is lost would be waited for
    watchdog.start()
    run.run(job)
    watchdog.cancel()
    stats = job_stats(run.ledger, job, SystemClock().now_ms())
    left = run._world.waiting.depth()
    run.close()
    print(chaos)  # noqa: T201 (shown when the test fails)
    assert (stats.tasks.total, stats.tasks.succeeded, stats.state.value) == (TASKS, TASKS, "complete")
    assert stats.bundles.done == stats.bundles.total
    assert sorted(told) == [number + 2 for number in range(TASKS)]
    assert sorted(ran) == list(range(TASKS))
    assert left == Depth(visible=0, in_flight=0)


def test_what_was_injected_is_said(tmp_path: Path) -> None:
    """The command says on stderr what went wrong by its seed, and on stdout that all went well."""
    path = tmp_path / "tasks.txt"
    path.write_text("#cloudkon: bundle=2\n" + "sleep 0\n" * 400, encoding="utf-8")
    asked = ["run", "LOCAL", "-s", str(path), "-t", "2", "--ledger", str(tmp_path / "ledger.sqlite3")]
    answer = CliRunner().invoke(cloudkon_cli, [*asked, "--chaos", "3", "--json"])
    assert answer.exit_code == 0, answer.stderr
    assert json.loads(answer.stdout)["tasks"]["succeeded"] == 400
    assert "Chaos, seed 3: " in answer.stderr
    assert "answers lost" in answer.stderr


def test_chaos_is_for_local(workload: Path) -> None:
    """A queue of a stage is not tampered with."""
    answer = CliRunner().invoke(cloudkon_cli, ["run", "some-queue", "-s", str(workload), "--chaos", "1"])
    assert answer.exit_code == 2
    assert "--chaos is for LOCAL" in answer.stderr
