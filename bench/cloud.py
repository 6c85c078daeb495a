"""Tasks that take no time, through everything: S3 put, deployed Lambda, queue, two worker processes, ledger."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.children import cli, run
from bench.figures import Figures
from bench.prices import bill
from bench.rows import row_sizes, write_units
from cli.cloud import bring_up
from cli.embedded import EmbeddedCloud
from cli.environment import child_environment
from cli.process import ProcessId, end, start_detached
from cloudkon.clock import Clock, SystemClock

_STAGE = "dev"
_WORKERS, _THREADS = 2, 4
_QUIET_S = 8.0
"""A worker writes its last counters down within seconds of its last bundle."""


def measure(tasks: int) -> Figures:
    clock = SystemClock()
    with ExitStack() as cleanup:
        home = Path(cleanup.enter_context(TemporaryDirectory(prefix="cloudkon-bench-")))
        environment = cleanup.enter_context(_embedded(home, clock))
        workload = home / "bench.txt"
        workload.write_text("sleep 0\n" * tasks, encoding="utf-8")
        cleanup.enter_context(_workers(home, environment, clock))
        job = run(cli("submit", str(workload)), environment).stdout.strip()
        run(cli("watch", job), environment)
        clock.sleep(_QUIET_S)
        stats = json.loads(run(cli("stats", job, "--json"), environment).stdout)
        sizes = row_sizes(job, _STAGE, environment)
    assert stats["tasks"]["succeeded"] == stats["executions"] == tasks
    return _figures(tasks, stats, sizes)


def _figures(tasks: int, stats: Mapping[str, Any], sizes: list[int]) -> Figures:
    calls = {name: count for name, count in stats["api_calls"].items() if not name.startswith("sts.")}
    bundles, lambda_s = stats["bundles"]["total"], stats["stages"]["dispatch"]["max_ms"] / 1000
    cost = bill(calls, bundles=bundles, row_units=write_units(sizes), lambda_s=lambda_s)
    million = 1e6 / tasks
    return {
        "makespan_s": stats["makespan_s"],
        "tasks_per_s": stats["throughput_tasks_s"],
        "end_to_end_p50_s": stats["stages"]["end_to_end"]["p50_ms"] / 1000,
        "bundles": bundles,
        "row_bytes_max": max(sizes),
        "calls_per_task": sum(calls.values()) / tasks,
        **{f"{name}_per_1000_tasks": count / tasks * 1000 for name, count in sorted(calls.items())},
        "usd_per_million": cost.total * million,
        "usd_per_million_sqs": cost.sqs * million,
        "usd_per_million_dynamodb": cost.dynamodb * million,
        "usd_per_million_s3": cost.s3 * million,
        "usd_per_million_lambda": cost.function * million,
    }


@contextmanager
def _embedded(home: Path, clock: Clock) -> Iterator[dict[str, str]]:
    """An embedded cloud of its own; yields the environment of whoever is to use it."""
    embedded = EmbeddedCloud(home, clock)
    paths = [os.getcwd(), *filter(None, [os.environ.get("PYTHONPATH")])]  # noqa: PTH109 (joined as text)
    try:
        started = bring_up(embedded, _STAGE)
        environment = child_environment(started.port, _STAGE, os.environ)
        yield environment | {"CLOUDKON_HOME": str(home), "PYTHONPATH": os.pathsep.join(paths)}
    finally:
        embedded.stop()


@contextmanager
def _workers(home: Path, environment: Mapping[str, str], clock: Clock) -> Iterator[None]:
    started: list[ProcessId] = []
    command = [sys.executable, "-m", "ec2_worker", "--threads", str(_THREADS)]
    try:
        for number in range(_WORKERS):
            started.append(start_detached(command, environment, home / f"worker-{number}.log"))  # noqa: PERF401
        yield
    finally:
        for worker in started:
            end(worker, clock)
