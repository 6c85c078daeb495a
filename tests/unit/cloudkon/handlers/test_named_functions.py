"""--tasks module:function permits this one function, and no other of its module."""

import os.path
from pathlib import Path

import pytest

from cloudkon.errors import InputError
from cloudkon.handlers.registry import Registry, UnknownTaskError
from cloudkon.workload.task_line import parse_task

TEXT = """
from os.path import basename
from cloudkon import task

NUMBER = 3

def plain(x: int) -> int:
    return x + 1

@task("marked", retries=4)
def by_mark(x: int) -> int:
    return x + 2

def yields(x: int):
    yield x
"""


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    (tmp_path / "named_functions.py").write_text(TEXT, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return Registry()


def test_a_named_function_runs_without_a_mark(registry: Registry) -> None:
    """The line names it as the option did, and its arguments are converted as those of any handler."""
    registry.load("named_functions:plain")
    assert registry.run(parse_task("named_functions:plain 4")) == 5
    assert registry.names == ("named_functions:plain",)


def test_a_module_permits_only_its_marked_functions(registry: Registry) -> None:
    """What was not named can't be called by its place in a module, however the module was loaded."""
    registry.load("named_functions")
    for name in ("named_functions:plain", "named_functions:basename", "os:system", "os.path:basename"):
        with pytest.raises(UnknownTaskError, match=f"start the worker with --tasks {name}"):
            registry.run(parse_task(f"{name} 4"))


def test_a_marked_function_keeps_its_task_too(registry: Registry) -> None:
    """A marked function that is named runs under both names, with its options under its own."""
    registry.load("named_functions:by_mark")
    assert registry.names == ("marked", "named_functions:by_mark")
    assert registry.find(parse_task("marked 1")).handling.retries == 4


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("named_functions:plane", "the module has no function 'plane'. Did you mean named_functions:plain?"),
        ("named_functions:NUMBER", "the module has no function 'NUMBER'."),
        ("named_functions:", "the module has no function ''."),
        ("named_functions:yields", "named_functions:yields can't be run: it yields"),
        ("nowhere:plain", "there is no module named 'nowhere'"),
    ],
)
def test_what_is_no_function_is_refused(registry: Registry, name: str, reason: str) -> None:
    """A name that leads to nothing, or to what can't be called, is an error when the worker starts."""
    with pytest.raises(InputError) as caught:
        registry.load(name)
    assert reason in str(caught.value)


def test_another_function_never_takes_a_name(registry: Registry) -> None:
    """A name that is taken stays with its function; the same function, loaded anew, takes its place."""
    registry.add_named("m:f", os.path.basename)
    registry.add_named("m:f", os.path.basename)
    with pytest.raises(InputError, match="Two handlers are named 'm:f'"):
        registry.add_named("m:f", os.path.dirname)
