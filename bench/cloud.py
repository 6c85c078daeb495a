"""Tasks that take no time, through everything: S3 put, deployed Lambda, queue, two worker processes, ledger."""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.children import module_path, run
from bench.figures import Figures
from bench.rows import row_sizes, write_units
from cli.embedded.sandbox import own_cloud, own_workers
from cli.system.processes import cli
from cloudkon.clock import SystemClock
from cloudkon.costs.bill import Bill
from cloudkon.costs.calls import call_charges, calls_only, dispatch_charges
from cloudkon.costs.prices import shipped_prices

_STAGE = "dev"
_WORKERS, _THREADS = 2, 4
_QUIET_S = 8.0
"""A worker writes its last counters down within seconds of its last bundle."""


def measure(tasks: int) -> Figures:
    clock = SystemClock()
    with ExitStack() as cleanup:
        home = Path(cleanup.enter_context(TemporaryDirectory(prefix="cloudkon-bench-")))
        environment = cleanup.enter_context(own_cloud(home, clock)) | {"PYTHONPATH": module_path()}
        workload = home / "bench.txt"
        workload.write_text("sleep 0\n" * tasks, encoding="utf-8")
        cleanup.enter_context(own_workers(home, environment, clock, _WORKERS, _THREADS))
        job = run(cli("submit", str(workload)), environment).stdout.strip()
        run(cli("watch", job), environment)
        clock.sleep(_QUIET_S)
        stats = json.loads(run(cli("stats", job, "--json"), environment).stdout)
        sizes = row_sizes(job, _STAGE, environment)
    assert stats["tasks"]["succeeded"] == stats["executions"] == tasks
    return figures_of(tasks, stats, sizes)


def figures_of(tasks: int, stats: Mapping[str, Any], sizes: list[int]) -> Figures:
    """What a job took and cost, from its statistics and the sizes of its rows."""
    calls = {name: count for name, count in stats["api_calls"].items() if not name.startswith("sts.")}
    bundles, lambda_s = stats["bundles"]["total"], stats["stages"]["dispatch"]["max_ms"] / 1000
    prices = shipped_prices()
    charges = call_charges(calls, prices, bundles=bundles, row_units=write_units(sizes))
    services = Bill([*charges, *dispatch_charges(1, lambda_s, prices)]).services
    calls = calls_only(calls)
    million = 1e6 / tasks
    return {
        "makespan_s": stats["makespan_s"],
        "tasks_per_s": stats["throughput_tasks_s"],
        "end_to_end_p50_s": stats["stages"]["end_to_end"]["p50_ms"] / 1000,
        "bundles": bundles,
        "row_bytes_max": max(sizes),
        "calls_per_task": sum(calls.values()) / tasks,
        **{f"{name}_per_1000_tasks": count / tasks * 1000 for name, count in sorted(calls.items())},
        "usd_per_million": sum(services.values()) * million,
        **{f"usd_per_million_{name.lower()}": usd * million for name, usd in sorted(services.items())},
    }
