"""A LOCAL run that goes on where an earlier one was stopped."""

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.main import cloudkon_cli
from cli.running.local_runner import LocalRun
from cloudkon.clock import SystemClock
from cloudkon.handlers.registry import Registry
from cloudkon.handlers.sleep import sleep
from cloudkon.ledger.bundle import BundleKey, LineNumbers
from cloudkon.ledger.lease import BundleState
from cloudkon.settings import Settings
from cloudkon.workload.planning import STAYING, TRAVELLING
from tests.support.data.rows import ask, claimed, succeeded

OWN, CLOCK = Settings(poll_s=0.05, drain_s=5.0), SystemClock()


@pytest.fixture(autouse=True)
def _this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDKON_HOME", str(tmp_path / "data"))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cloudkon_cli, [str(argument) for argument in arguments], catch_exceptions=False)


def told(*arguments: object) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


def test_what_is_done_is_no_duplicate(tmp_path: Path) -> None:
    """A job that is resumed once more sends nothing of what is done, and has every result all the same."""
    file = tmp_path / "tasks.txt"
    file.write_text("#cloudkon: bundle=1\n" + "sleep 1\n" * 40, encoding="utf-8")
    first = told("run", "LOCAL", file, "-t", "2")
    second = told("run", "LOCAL", file, "-t", "2", "--resume", "--results", tmp_path / "done.jsonl")
    assert second["job"] == first["job"]
    assert (second["duplicates_dropped"], second["tasks"]["succeeded"]) == (0, 40)
    lines = (tmp_path / "done.jsonl").read_text(encoding="utf-8").splitlines()
    assert sorted(json.loads(line)["task"] for line in lines) == list(range(2, 42))


def test_a_job_that_an_older_version_began_keeps_its_bundles(tmp_path: Path) -> None:
    """Its plan stands in its row: it goes on with bundles of 64, of which the first was done, and runs none twice."""
    file, ledger_file, tasks = tmp_path / "tasks.txt", tmp_path / "ledger.db", 128_000
    file.write_text("sleep 0\n" * tasks, encoding="utf-8")
    new = LocalRun(file, ledger_file, Registry([sleep]), slots=2, settings=OWN, clock=CLOCK, finished=lambda _: None)
    with closing(new):
        assert new.open(resume=False).bundle_size == STAYING.tasks
    old = ledger_file.with_name("old.db")
    run = LocalRun(file, old, Registry([sleep]), slots=2, settings=OWN, clock=CLOCK, finished=lambda _: None)
    with closing(run):
        run._dispatcher.bounds = TRAVELLING
        begun = run.open(resume=False)
        lease = claimed(run.ledger, replace(ask(BundleKey(begun.id, 0, 0), tasks=64), lines=LineNumbers(((1, 64),))))
        run.ledger.complete(lease, [succeeded()] * 64, lease.claimed_ms + 1)
    run = LocalRun(file, old, Registry([sleep]), slots=2, settings=OWN, clock=CLOCK, finished=lambda _: None)
    with closing(run):
        assert run.open(resume=True) == begun
        run.run(begun)
        rows = list(run.ledger.bundles(begun))
    assert {len(row.lines) for row in rows} == {64}
    assert [row.key.number for row in rows] == list(range(tasks // 64))
    assert {row.state for row in rows} == {BundleState.DONE}
    assert rows[0].owners == ("a",)
