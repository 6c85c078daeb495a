"""The page about a large job: how long it takes to make, what memory, and how large it is, whatever the tasks."""

import heapq
import os
import random
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.children import run
from bench.figures import Figures
from cli.system.processes import cli
from cloudkon.ledger.bundle import BundleKey, LineNumbers
from cloudkon.ledger.job import Job, RangeReport, Source, WorkerReport
from cloudkon.ledger.lease import Claim, Claimed, Completion
from cloudkon.ledger.result_columns import ResultColumns
from cloudkon.ledger.results import TaskResult, TaskState
from cloudkon.local.ledger import SqliteLedger

_EVENT_MS = 1_790_000_000_000
_WORKERS, _SLOTS, _BUNDLE, _BATCH = 16, 4, 64, 25
_FAILED = 1e-4


def measure(tasks: int) -> Figures:
    """Write the ledger that a run of so many tasks on 64 slots would leave, and make its report."""
    with TemporaryDirectory(prefix="cloudkon-bench-") as folder:
        ledger, page = Path(folder, "ledger.sqlite3"), Path(folder, "report.html")
        _write(ledger, tasks)
        stats = run(cli("stats", "--ledger", str(ledger)), os.environ)
        ran = run(cli("report", "--ledger", str(ledger), "-o", str(page)), os.environ)
        return {
            "report_wall_s": ran.wall_s,
            "report_cpu_s": ran.cpu_s,
            "report_cpu_per_task_us": ran.cpu_s / tasks * 1e6,
            "report_peak_memory_mb": ran.peak_mb,
            "page_kb": page.stat().st_size / 1000,
            "stats_cpu_s": stats.cpu_s,
        }


def _write(file: Path, tasks: int) -> None:
    ledger = SqliteLedger(file, guard_ms=2_000)
    source = Source("LOCAL", "/home/me/bench.txt", "v1", _EVENT_MS)
    job = ledger.open(Job("local-bench", source, tasks * 8, 1, 1, _BUNDLE, tasks, _EVENT_MS))
    bundles = -(-tasks // _BUNDLE)
    ledger.record_range(RangeReport(job.id, 0, tasks, bundles, 0, tasks, _EVENT_MS, _EVENT_MS + 1_000))
    dice = random.Random(7)
    free = [(_EVENT_MS + 500.0, worker, slot) for worker in range(_WORKERS) for slot in range(_SLOTS)]
    heapq.heapify(free)
    for first in range(0, bundles, _BATCH):
        done = list(_bundles(job.id, tasks, range(first, min(bundles, first + _BATCH)), free, dice))
        answers = ledger.claim_all([ask for ask, _ in done])
        ended = [
            Completion(answer.lease, ask.lines, ask.sent_ms, ask.received_ms, results)
            for answer, (ask, results) in zip(answers, done, strict=True)
            if isinstance(answer, Claimed)
        ]
        ledger.complete_all(ended, max(ask.now_ms for ask, _ in done))
    for worker in range(_WORKERS):
        ledger.report_worker(WorkerReport(job.id, f"worker-{worker:02}", _SLOTS, _EVENT_MS, round(free[0][0])))
    ledger.close()


def _bundles(
    job: str, tasks: int, numbers: range, free: list[tuple[float, int, int]], dice: random.Random
) -> Iterator[tuple[Claim, ResultColumns]]:
    """Bundles one after the other, each on the slot that is free first."""
    for number in numbers:
        begun, worker, slot = heapq.heappop(free)
        size = min(_BUNDLE, tasks - number * _BUNDLE)
        results, ended = _results(size, begun, dice)
        heapq.heappush(free, (ended, worker, slot))
        lines, at = LineNumbers(((number * _BUNDLE + 1, size),)), round(begun)
        owner, token = f"worker-{worker:02}", str(number)
        yield Claim(BundleKey(job, 0, number), lines, _EVENT_MS, _EVENT_MS, at, owner, token, at, at + 120_000), results


def _results(size: int, begun: float, dice: random.Random) -> tuple[ResultColumns, float]:
    results = ResultColumns(size)
    for at in range(size):
        took_us = round(dice.lognormvariate(3, 1) * 1000)
        if dice.random() < _FAILED:
            results[at] = TaskResult(TaskState.FAILED, round(begun), took_us, 1, error=f"ValueError: {at} is no good")
        else:
            results.put_plain(at, round(begun), took_us, 1)
        begun += took_us / 1000
    results.stamp(round(begun))
    return results, begun
