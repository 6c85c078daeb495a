"""What a storm of tests/support/worlds/storm.py is let loose on, and what it must not have changed."""

from collections import Counter
from pathlib import Path
from typing import Any

from cloudkon.aws.ledger.dynamodb import DynamoLedger
from cloudkon.clock import SystemClock
from cloudkon.ledger.lease import BundleRow, BundleState
from tests.support.waiting import eventually
from tests.support.worlds.embedded_aws import EmbeddedAws
from tests.support.worlds.jobs import JobDesk
from tests.support.worlds.storm import Storm

TASKS = 400
TASK_MS = 50
BUNDLE = 10
POISON = 123
DAYS_30_S = 30 * 86_400


class Field:
    """What the storm is let loose on: jobs, and all that can be known of them."""

    def __init__(self, aws: EmbeddedAws, folder: Path) -> None:
        self.desk = JobDesk(aws)
        self.trace = folder / "trace.txt"
        self.jobs: list[str] = []
        self.poisoned: set[int] = set()
        self.ledger = DynamoLedger(
            aws.client("dynamodb"),
            aws.names.ledger_table,
            guard_ms=500,
            retention_s=DAYS_30_S,
            clock=SystemClock(),
        )

    def drop(self, *, poison: bool = False) -> None:
        """Drop a workload, in which one task may kill whoever runs it."""
        number = len(self.jobs)
        lines = [f"note {self.trace} {number}.{line} {TASK_MS}" for line in range(TASKS)]
        if poison:
            self.poisoned.add(number)
            lines[POISON] = f"die {self.trace} {number}.{POISON}"
        body = "\n".join([f"#cloudkon: bundle={BUNDLE}", *lines, ""]).encode()
        self.jobs.append(self.desk.drop(f"storm-{number}.txt", body))

    def rows(self, job: str) -> list[BundleRow]:
        found = self.ledger.job(job)
        return [] if found is None else list(self.ledger.bundles(found))

    def left(self) -> int:
        """How many bundles are not done."""
        done = [row for job in self.jobs for row in self.rows(job) if row.state is BundleState.DONE]
        return len(self.jobs) * TASKS // BUNDLE - len(done)

    def over(self) -> bool:
        return self.left() == 0

    def holds(self, worker: str) -> bool:
        return any(
            row.state is BundleState.LEASED and row.owner == worker for job in self.jobs for row in self.rows(job)
        )

    def taken_over(self, worker: str) -> bool:
        """Whether others have something that the worker held, and it holds nothing any more."""
        rows = [row for job in self.jobs for row in self.rows(job)]
        return any(worker in row.owners[:-1] for row in rows) and not self.holds(worker)

    def await_fenced(self, worker: str) -> None:
        """Wait until a worker has reported that it lost a lease."""

        def look() -> bool:
            """A report of a lost lease"""
            reports = [report for job in self.jobs for report in self.ledger.workers(job)]
            return any(report.leases_lost for report in reports if report.worker == worker)

        eventually(look)

    def figures(self, storm: Storm) -> dict[str, Any]:
        rows = [row for job in self.jobs for row in self.rows(job)]
        runs = Counter(self.trace.read_text(encoding="utf-8").split())
        reports = [report for job in self.jobs for report in self.ledger.workers(job)]
        repeats = runs.total() - len(runs)
        return {
            "seed": storm.seed,
            "tasks": len(self.jobs) * TASKS,
            "kills": storm.kills,
            "deaths by poison": storm.deaths,
            "zombies": storm.zombies,
            "duplicates sent": storm.duplicates,
            "takeovers": sum(len(row.owners) - 1 for row in rows),
            "bundles taken over": sum(len(row.owners) > 1 for row in rows),
            "repeats": repeats,
            "repeats per kill": round(repeats / max(1, storm.kills + storm.deaths), 2),
            "fenced writes": sum(report.leases_lost for report in reports),
        }


def say(figures: dict[str, Any]) -> None:
    print(*(f"{value!s:>8} {name}" for name, value in figures.items()), sep="\n")  # noqa: T201 (what it is for)


def assert_nothing_happened(field: Field) -> None:
    """Lost 0, recorded twice 0, wrongly failed 0; and each bundle's consumers were told what is recorded."""
    told = [record for job in field.jobs for record in field.desk.completions(job, TASKS // BUNDLE)]
    for number, job in enumerate(field.jobs):
        results = field.desk.results(job)
        assert sorted(result["task"] for result in results) == list(range(2, TASKS + 2)), "lost, or recorded twice"
        failed = [result for result in results if result["state"] != "succeeded"]
        assert [result["task"] - 2 for result in failed] == [POISON] * (number in field.poisoned), (
            f"wrongly failed: {failed}"
        )
        assert all("its worker died 3 times" in result["error"] for result in failed)
        for row in field.rows(job):
            records = [record for record in told if (record["job"], record["bundle"]) == (job, row.key.id)]
            assert {(record["worker"], record["attempt"]) for record in records} == {(row.owner, row.attempt)}
    ran = set(field.trace.read_text(encoding="utf-8").split())
    assert ran == {f"{number}.{line}" for number in range(len(field.jobs)) for line in range(TASKS)}
