"""What the start of a LOCAL run costs: the modules that it loads, counted."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

NEVER = (
    "asyncio",
    "boto3",
    "botocore",
    "cli.running.chaos",
    "cli.running.processes.worker_processes",
    "cli.terminal.bar",
    "cloudkon.aws",
    "cloudkon.local.flaky",
    "cloudkon.reports.activity",
    "ctypes",
    "ec2_worker.lifecycle.supervisor",
    "email",
    "http.client",
    "msgspec",
    "multiprocessing",
    "numpy",
    "opentelemetry",
    "PIL",
    "rich",
    "ssl",
    "subprocess",
)
"""What most runs do without, and what takes milliseconds to load."""
MOST_MODULES, MOST_DATACLASSES = 390, 150
"""Each dataclass takes a third of a millisecond to make. Before these bounds there were 475 modules and 140 classes."""
_RUN = """
import dataclasses, sys
made, make = [], dataclasses._process_class
dataclasses._process_class = lambda *given: made.append(given[0]) or make(*given)
from cloudkon_cli import main
sys.argv[0] = "cloudkon-cli"
try:
    main()
finally:
    print(len(made), *sys.modules, sep="\\n")
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, list[str]]:
    """How many dataclasses a run of one task makes, and which modules it loads."""
    folder = tmp_path_factory.mktemp("start")
    workload = Path(folder, "tasks.txt")
    workload.write_text("sleep 0\n", encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name not in {"FORCE_COLOR", "TTY_COMPATIBLE"}}
    ran = subprocess.run(
        [sys.executable, "-c", _RUN, "run", "LOCAL", str(workload)],
        env=environment | {"CLOUDKON_HOME": str(folder), "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    _, made, *modules = ran.stdout.splitlines()
    return int(made), modules


@pytest.mark.parametrize("module", NEVER)
def test_a_run_of_one_task_does_not_load(loaded: tuple[int, list[str]], module: str) -> None:
    """Neither the module nor a part of it: whoever needs it loads it then."""
    assert [name for name in loaded[1] if name == module or name.startswith(f"{module}.")] == []


def test_the_start_loads_few_modules_and_makes_few_classes(loaded: tuple[int, list[str]]) -> None:
    """Fewer than the 475 that there were; with a new one it is worth asking whether every run needs it."""
    made, modules = loaded
    assert len(modules) <= MOST_MODULES
    assert made <= MOST_DATACLASSES
