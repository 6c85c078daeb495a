"""The peers are installed beside the project and never into it; what is missing is said."""

import tomllib
from pathlib import Path

import pytest

from bench.peers import environment
from bench.peers.contestants import COMMANDS, PROCESSES, THREADS


def test_no_peer_is_a_dependency_of_the_project() -> None:
    """Neither what the project asks for nor what it pins names a peer; boto3, which some of them need, is its own."""
    peers = set(environment.pinned()) - {"boto3"}
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    locked = Path("constraints.txt").read_text(encoding="utf-8").splitlines()
    assert {line.partition("=")[0].partition("[")[0].partition(">")[0] for line in [*asked, *locked]} & peers == set()


def test_what_contestants_need_is_pinned() -> None:
    """A package that a contestant needs is among those that --install brings, a program among those looked for."""
    contestants = [*THREADS, *PROCESSES, *COMMANDS]
    assert {one.package for one in contestants} - {None} <= set(environment.pinned())
    assert {one.program for one in contestants} - {None} <= set(environment.PROGRAMS)


def test_what_is_missing_is_told_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an environment every package is missing, and programs that the path does not have."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert environment.python_of(tmp_path) is None
    assert environment.installed(tmp_path) == {}
    everything = [*environment.pinned(), *environment.PROGRAMS]
    assert environment.missing({}) == everything
    assert environment.missing({"celery": "1"}) == [name for name in everything if name != "celery"]
    assert environment.program_version("xargs") is None
