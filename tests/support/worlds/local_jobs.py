"""Jobs in a ledger file, as LOCAL runs leave them."""

from dataclasses import replace
from pathlib import Path

from cli.system.paths import results_folder
from cloudkon.ledger.bundle import BundleKey, LineNumbers
from cloudkon.ledger.job import Job, RangeReport, Source, WorkerReport
from cloudkon.ledger.lease import Claim, Claimed
from cloudkon.ledger.results import Results, TaskResult, TaskState
from cloudkon.local.ledger import SqliteLedger
from cloudkon.local.store import FolderStore
from cloudkon.workload.packing import Reject
from cloudkon.workload.rejects import Rejects

EVENT_MS = 1_750_000_000_000


def mixed_results() -> list[TaskResult | None]:
    """One success with a value, one failure, one success."""
    ok = TaskResult(TaskState.SUCCEEDED, EVENT_MS + 400, 12_300, 1, recorded_ms=EVENT_MS + 900, value={"n": 1})
    failed = replace(ok, state=TaskState.FAILED, value=None, error="ValueError: boom\n\x1b[31mred", runs=3)
    return [ok, failed, replace(ok, value=None)]


def write_job(
    ledger: SqliteLedger,
    name: str = "local-sleeps-abc",
    *,
    results: Results | None = None,
    opened: int = 5,
    rejected: int = 0,
    done: bool = True,
) -> Job:
    """Open a job of one bundle, and complete the bundle unless told otherwise; times in ms after the event."""
    results = mixed_results() if results is None else results
    source = Source("LOCAL", "/home/me/sleeps.txt", "v1", EVENT_MS)
    job = ledger.open(Job(name, source, 2_345, 1, 1, 64, len(results) + rejected, EVENT_MS + opened))
    lines = len(results) + rejected
    ledger.record_range(
        RangeReport(name, 0, len(results), 1 if results else 0, rejected, lines, EVENT_MS, EVENT_MS + 100)
    )
    if results:
        key = BundleKey(name, 0, 0)
        numbers = LineNumbers(((1, len(results)),))
        sent_ms, received_ms = EVENT_MS + 50, EVENT_MS + 60
        claim = Claim(key, numbers, EVENT_MS, sent_ms, received_ms, "w1", "token", EVENT_MS + 70, EVENT_MS + 120_000)
        answer = ledger.claim(claim)
        assert isinstance(answer, Claimed)
        if done:
            ledger.complete(answer.lease, results, EVENT_MS + 900)
    ledger.report_worker(WorkerReport(name, "w1", 4, EVENT_MS, EVENT_MS + 900, api_calls={"sqs.ReceiveMessage": 3}))
    return job


def write_rejects(ledger_file: Path, job: Job, lines: list[int]) -> None:
    rejects = Rejects(FolderStore(results_folder(ledger_file)), job.id, 0)
    for line in lines:
        rejects.add(Reject(line, "no closing quotation", f"sleep 'line {line}"))
    rejects.flush()
