"""The wall clock of one of two worker processes jumps by ten minutes, forward and back, while both are at work."""

from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.waiting import eventually
from tests.support.worlds.embedded_aws import EmbeddedAws
from tests.support.worlds.jobs import JobDesk
from tests.support.worlds.workers import worker

TASKS = 240
JUMPS_S = (600, -600, 0)
# Python runs this at its start, for it finds it on its path: the worker's own code stays as it is.
_JUMPING = """
from pathlib import Path
from cloudkon.clock import SystemClock

_now_ms = SystemClock.now_ms
_ahead = Path(__file__).with_name("ahead_s")

def now_ms(clock):
    ahead_s = int(_ahead.read_text())
    _ahead.with_name(f"was {ahead_s}").touch()
    return _now_ms(clock) + 1000 * ahead_s

SystemClock.now_ms = now_ms
"""


@pytest.mark.parametrize("jumps_s", [JUMPS_S, tuple(-jump for jump in JUMPS_S)], ids=["forward first", "back first"])
def test_a_clock_that_jumps_costs_nothing(cloud: EmbeddedAws, tmp_path: Path, jumps_s: tuple[int, ...]) -> None:
    """Every task is run, and recorded once as it ended, whatever time one of the workers believes that it is."""
    desk = JobDesk(cloud)
    steady, jumping, notes = tmp_path / "steady", tmp_path / "jumping", tmp_path / "notes.txt"
    for folder in (steady, jumping):
        folder.mkdir()
    (jumping / "sitecustomize.py").write_text(_JUMPING, encoding="utf-8")
    ahead = jumping / "ahead_s"
    ahead.write_text("0", encoding="utf-8")
    lines = "".join(f"note {notes} {number} 100\n" for number in range(TASKS))
    arguments = ("--threads", "2", "--tasks", "tests.support.data.user_tasks")
    with ExitStack() as stack:
        for folder in (steady, jumping):
            stack.enter_context(worker(cloud.environment, folder, *arguments))
        job = desk.drop("jumps.txt", f"#cloudkon: bundle=6 retries=0\n{lines}".encode())
        for number, jump_s in enumerate(jumps_s, start=1):

            def so_many_begun(number: int = number) -> bool:
                """The next quarter of the tasks"""
                return notes.exists() and len(notes.read_text().splitlines()) >= TASKS * number / 4

            eventually(so_many_begun)
            part = ahead.with_name("ahead_s.part")
            part.write_text(str(jump_s), encoding="utf-8")
            part.replace(ahead)
        stats = desk.finish(job)
    assert {path.name for path in jumping.glob("was *")} == {"was 0", "was 600", "was -600"}
    assert stats["tasks"] == {
        "total": TASKS,
        "succeeded": TASKS,
        "failed": 0,
        "rejected": 0,
        "running": 0,
        "pending": 0,
    }
    assert [result["task"] for result in desk.results(job)] == list(range(2, TASKS + 2))
    runs = Counter(notes.read_text().splitlines())
    assert set(runs) == {str(number) for number in range(TASKS)}
    assert runs.total() == stats["executions"]
    assert {share["tasks"] > 0 for share in stats["workers"]} == {True}
