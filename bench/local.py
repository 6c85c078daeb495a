"""The whole command `run LOCAL` over tasks that take no time: what is left is CloudKon itself."""

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.children import run
from bench.figures import Figures
from cli.system.processes import cli

_SLOTS = 2


def measure(tasks: int) -> Figures:
    with TemporaryDirectory(prefix="cloudkon-bench-") as folder:
        workload, ledger = Path(folder, "tasks.txt"), Path(folder, "ledger.sqlite3")
        workload.write_text("sleep 0\n" * tasks, encoding="utf-8")
        ran = run(
            cli("run", "LOCAL", "-s", str(workload), "-t", str(_SLOTS), "--ledger", str(ledger), "--json"), os.environ
        )
        stats = json.loads(ran.stdout)
        assert stats["tasks"]["succeeded"] == tasks
        return {
            "wall_s": ran.wall_s,
            "makespan_s": stats["makespan_s"],
            "tasks_per_s": stats["throughput_tasks_s"],
            "cpu_s": ran.cpu_s,
            "cpu_per_task_us": ran.cpu_s / tasks * 1e6,
            "peak_memory_mb": ran.peak_mb,
            "ledger_bytes_per_task": ledger.stat().st_size / tasks,
        }
