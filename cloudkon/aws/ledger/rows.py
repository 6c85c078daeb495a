"""How the ledger's rows lie in the table.

    row      pk                  sk
    job      job#<job>           meta
    range    job#<job>           range#<n>
    worker   job#<job>           worker#<id>
    bundle   job#<job>#<shard>   bundle#<range>.<n>
    index    jobs#<yyyy-mm>      <time>#<job>
    fleet    workers             <id>                       (see fleet.py)
    time     time#<task name>    meta                       (see task_times.py)

A bundle's row has short names: with the results of 64 tasks it fits 1 KiB, and so one write unit.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from cloudkon.aws.ledger.table import Item
from cloudkon.ledger.bundle import BundleKey, LineNumbers
from cloudkon.ledger.fleet import Instance
from cloudkon.ledger.job import Job, RangeKey, RangeReport, Source, WorkerReport
from cloudkon.ledger.lease import BundleRow, BundleState, Mark
from cloudkon.ledger.packed_results import pack_results, unpack_results
from cloudkon.ledger.result_columns import frozen
from cloudkon.ledger.results import Results

META = "meta"
RANGE, WORKER, BUNDLE = "range#", "worker#", "bundle#"
_MAX_PACKED_BYTES = 380_000
"""Leaves room for the rest of a row within the 400 KB of an item.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
"""


def number(value: int) -> Item:
    return {"N": str(value)}


def text(value: str) -> Item:
    return {"S": value}


def key(pk: str, sk: str) -> dict[str, Item]:
    return {"pk": text(pk), "sk": text(sk)}


def job_pk(job: str) -> str:
    return f"job#{job}"


def shard_pk(job: str, shard: int) -> str:
    return f"job#{job}#{shard}"


def bundle_key(bundle: BundleKey) -> dict[str, Item]:
    return key(shard_pk(bundle.job, bundle.shard), f"{BUNDLE}{bundle.id}")


def month_pk(month: datetime) -> str:
    return f"jobs#{month:%Y-%m}"


def index_key(job: Job) -> dict[str, Item]:
    """Sorts by the time the job was opened."""
    opened = datetime.fromtimestamp(job.opened_ms / 1000, UTC)
    return key(month_pk(opened), f"{opened.isoformat(timespec='milliseconds')}#{job.id}")


def expiry(written_ms: int, retention_s: int) -> Item:
    """When the table may forget a row [s since the epoch], as its time to live wants it."""
    return number(written_ms // 1000 + retention_s)


def bundle_row(bundle: BundleKey, item: Item) -> BundleRow:
    lines = LineNumbers.parse(item["lines"]["S"])
    event_ms = _int(item, "event")
    packed = item.get("results")
    return BundleRow(
        key=bundle,
        state=BundleState(item["state"]["S"]),
        owners=tuple(owner["S"] for owner in item["owners"]["L"]),
        token=item["token"]["S"],
        lines=lines,
        results=frozen(unpack_results(packed["B"], event_ms)) if packed else (None,) * len(lines),
        event_ms=event_ms,
        sent_ms=_int(item, "sent"),
        received_ms=_int(item, "received"),
        claimed_ms=_int(item, "claimed"),
        lease_until_ms=_int(item, "until"),
        completed_ms=_int_or_none(item, "done"),
        fruitless=_int(item, "fruitless"),
        mark=_mark_of(item.get("mark")),
        survivors=tuple(sorted(item.get("survivors", {"SS": ()})["SS"])),
    )


def mark_value(mark: Mark | None) -> Item:
    return {"NULL": True} if mark is None else {"L": [number(mark.index), number(mark.times)]}


def _mark_of(value: Item | None) -> Mark | None:
    if value is None or "NULL" in value:
        return None
    index, times = value["L"]
    return Mark(int(index["N"]), int(times["N"]))


def packed_results(results: Results, event_ms: int) -> Item:
    """Pack the results; shorten the errors if a row could not hold them: a bundle must never be unrecordable."""
    packed, keep = pack_results(results, event_ms), 1_000
    while len(packed) > _MAX_PACKED_BYTES and keep:
        results = [replace(r, error=r.error[:keep]) if r is not None and r.error else r for r in results]
        packed, keep = pack_results(results, event_ms), keep // 2
    return {"B": packed}


def job_item(job: Job) -> dict[str, Item]:
    source = job.source
    item = {
        "job": text(job.id),
        "bucket": text(source.bucket),
        "key": text(source.key),
        "version": text(source.version),
        "event": number(source.event_ms),
        "pinned": {"BOOL": source.pinned},
        "size": number(job.size_bytes),
        "ranges": number(job.ranges),
        "shards": number(job.shards),
        "bundle_size": number(job.bundle_size),
        "tasks_estimate": number(job.tasks_estimate),
        "opened": number(job.opened_ms),
        "gzipped": {"BOOL": job.gzipped},
    }
    optional = {
        "cancelled": _number_or_none(job.cancelled_ms),
        "paused": _number_or_none(job.paused_ms),
        "resumed": _number_or_none(job.resumed_ms),
        "pause_reason": None if job.pause_reason is None else text(job.pause_reason),
        "retries": _number_or_none(job.retries),
        "timeout_s": None if job.timeout_s is None else {"N": repr(job.timeout_s)},
        "trace": None if job.trace is None else text(job.trace),
        "seal_key": None if job.seal_key is None else text(job.seal_key),
        "keep_logs": {"BOOL": True} if job.keep_logs else None,
        "form": None if job.form is None else text(job.form),
        "task_slots": None if job.task_slots is None else number(job.task_slots),
        "max_fails": None if job.max_fails is None else text(job.max_fails),
    }
    return item | {name: value for name, value in optional.items() if value is not None}


def _number_or_none(value: int | None) -> Item | None:
    return None if value is None else number(value)


def job_of(item: Item) -> Job:
    return Job(
        id=item["job"]["S"],
        source=Source(
            bucket=item["bucket"]["S"],
            key=item["key"]["S"],
            version=item["version"]["S"],
            event_ms=_int(item, "event"),
            pinned=item["pinned"]["BOOL"],
        ),
        size_bytes=_int(item, "size"),
        ranges=_int(item, "ranges"),
        shards=_int(item, "shards"),
        bundle_size=_int(item, "bundle_size"),
        tasks_estimate=_int(item, "tasks_estimate"),
        opened_ms=_int(item, "opened"),
        gzipped=item["gzipped"]["BOOL"],
        cancelled_ms=_int_or_none(item, "cancelled"),
        retries=_int_or_none(item, "retries"),
        timeout_s=float(item["timeout_s"]["N"]) if "timeout_s" in item else None,
        paused_ms=_int_or_none(item, "paused"),
        pause_reason=item["pause_reason"]["S"] if "pause_reason" in item else None,
        resumed_ms=_int_or_none(item, "resumed"),
        trace=item["trace"]["S"] if "trace" in item else None,
        seal_key=item["seal_key"]["S"] if "seal_key" in item else None,
        keep_logs="keep_logs" in item,
        form=item["form"]["S"] if "form" in item else None,
        task_slots=_int_or_none(item, "task_slots"),
        max_fails=item["max_fails"]["S"] if "max_fails" in item else None,
    )


def range_key(range_: RangeKey) -> dict[str, Item]:
    return key(job_pk(range_.job), f"{RANGE}{range_.number:05d}")


def range_item(report: RangeReport) -> dict[str, Item]:
    return range_key(RangeKey(report.job, report.range)) | {
        "range": number(report.range),
        "tasks": number(report.tasks),
        "bundles": number(report.bundles),
        "rejected": number(report.rejected),
        "lines": number(report.lines),
        "started": number(report.started_ms),
        "ended": number(report.ended_ms),
        "api_calls": counts(report.api_calls),
    }


def range_of(job: str, item: Item) -> RangeReport:
    return RangeReport(
        job=job,
        range=_int(item, "range"),
        tasks=_int(item, "tasks"),
        bundles=_int(item, "bundles"),
        rejected=_int(item, "rejected"),
        lines=_int(item, "lines"),
        started_ms=_int(item, "started"),
        ended_ms=_int(item, "ended"),
        api_calls=counts_of(item["api_calls"]),
    )


def worker_item(report: WorkerReport) -> dict[str, Item]:
    return (
        key(job_pk(report.job), f"{WORKER}{report.worker}")
        | instance_item(report.instance)
        | {
            "worker": text(report.worker),
            "slots": number(report.slots),
            "started": number(report.started_ms),
            "seen": number(report.seen_ms),
            "duplicates_dropped": number(report.duplicates_dropped),
            "leases_lost": number(report.leases_lost),
            "unrecorded_runs": number(report.unrecorded_runs),
            "api_calls": counts(report.api_calls),
            "waited": number(report.waited_ms),
            "failed": number(report.failed),
        }
    )


def worker_of(job: str, item: Item) -> WorkerReport:
    return WorkerReport(
        job=job,
        worker=item["worker"]["S"],
        slots=_int(item, "slots"),
        started_ms=_int(item, "started"),
        seen_ms=_int(item, "seen"),
        duplicates_dropped=_int(item, "duplicates_dropped"),
        leases_lost=_int(item, "leases_lost"),
        unrecorded_runs=_int(item, "unrecorded_runs"),
        api_calls=counts_of(item["api_calls"]),
        waited_ms=_int(item, "waited") if "waited" in item else 0,
        instance=instance_of(item),
        failed=_int(item, "failed") if "failed" in item else 0,
    )


def instance_item(instance: Instance | None) -> dict[str, Item]:
    """The columns of a worker's row that say where it runs; none of them elsewhere than on EC2."""
    if instance is None:
        return {}
    columns = {"instance": instance.id, "type": instance.type, "zone": instance.zone, "market": instance.market}
    return {name: text(value) for name, value in columns.items()}


def instance_of(item: Item) -> Instance | None:
    """Read what instance_item wrote; an earlier version wrote no market."""
    if "instance" not in item:
        return None
    market = item["market"]["S"] if "market" in item else ""
    return Instance(item["instance"]["S"], item["type"]["S"], item["zone"]["S"], market)


def counts(counts: Mapping[str, int]) -> Item:
    return {"M": {name: number(count) for name, count in counts.items()}}


def counts_of(value: Mapping[str, Any]) -> dict[str, int]:
    return {name: int(count["N"]) for name, count in value["M"].items()}


def _int(item: Item, name: str) -> int:
    return int(item[name]["N"])


def _int_or_none(item: Item, name: str) -> int | None:
    return int(item[name]["N"]) if name in item else None
