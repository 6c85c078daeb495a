"""How many tasks a LOCAL run runs at a time where nobody has said so."""

import gzip
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import cloudkon_cli
from cli.running.local_options import LocalOptions
from cloudkon import task
from cloudkon.handlers.registry import Registry

CORES = 4


@task(cpu_bound=True)
def compute(_below: str) -> None: ...


@task("wait")
def wait(_ms: str) -> None: ...


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalOptions:
    monkeypatch.setattr(os, "cpu_count", lambda: CORES)
    file = tmp_path / "tasks.txt"
    file.write_text("#cloudkon: bundle=2\n\nno 'quote\nwait 1\ncompute 10\n", encoding="utf-8")
    return LocalOptions(file=file, ledger_file=tmp_path / "ledger", slots=CORES, is_sized=False)


def size(options: LocalOptions) -> tuple[int | None, int]:
    sized = options.sized_for(Registry([compute, wait]))
    return sized.processes, sized.slots


def test_handlers_that_compute_get_a_process_a_core(asked: LocalOptions) -> None:
    """It is so whether the workload is packed or not, and the run is resumed and retried in the same way."""
    assert size(asked) == (CORES, 1)
    sized = asked.sized_for(Registry([compute]))
    assert sized.command()[-2:] == ["--processes", str(CORES)]
    assert sized.to_remember().processes == CORES
    asked.file.write_bytes(gzip.compress(asked.file.read_bytes()))
    assert size(asked) == (CORES, 1)


def test_other_tasks_and_other_wishes_get_threads(asked: LocalOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number that was given counts, one core gains nothing, and handlers that no task names do not matter."""
    assert size(replace(asked, is_sized=True)) == (None, CORES)
    asked.file.write_text("wait 1\nnobody 2\n", encoding="utf-8")
    assert size(asked) == (None, CORES)
    asked.file.write_text("compute 1\n", encoding="utf-8")
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert size(asked) == (None, CORES)


@pytest.mark.parametrize(("options", "here"), [([], False), (["-t", "2"], True)])
def test_the_tasks_run_in_processes_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], *, here: bool
) -> None:
    """run LOCAL starts the processes, unless -t asks for threads."""
    monkeypatch.setenv("CLOUDKON_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.chdir(tmp_path)
    Path("computing.py").write_text(
        "import os\nfrom cloudkon import task\n@task(cpu_bound=True)\ndef which(): return os.getpid()\n",
        encoding="utf-8",
    )
    Path("tasks.txt").write_text("which\n", encoding="utf-8")
    command = ["run", "LOCAL", "tasks.txt", "--tasks", "computing", "--results", "done.jsonl", *options]
    assert CliRunner().invoke(cloudkon_cli, command, catch_exceptions=False).exit_code == 0
    (line,) = Path("done.jsonl").read_text(encoding="utf-8").splitlines()
    assert (json.loads(line)["value"] != os.getpid()) is not here
