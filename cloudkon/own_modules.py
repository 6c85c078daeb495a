"""Lets our packages, and Python's own modules, be found before files of the same names beside a person's tasks.

A person's folder stands before ours on sys.path when it is the current one, or on PYTHONPATH. A `cli.py` or a
`queue.py` in it would be imported in place of what we need. Nothing is imported here that could itself be hidden.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))  # noqa: PTH120 (pathlib may be hidden still)
"""The folder that our packages are in."""
OWN = frozenset({"animoto", "cli", "cloudkon", "dispatcher", "ec2_worker", "infrastructure"})
_NOT_MEANT = frozenset({"test"})
"""Python's own tests, which nobody imports: a person's folder of this name is meant."""


class OwnFirst:
    """A finder for sys.meta_path, before all others."""

    def __init__(self) -> None:
        library = os.path.dirname(os.__file__)  # noqa: PTH120 (as above)
        compiled = [folder for folder in sys.path if folder.endswith("lib-dynload")]
        self._library = [library, *compiled]
        self.meant_elsewhere: frozenset[str] = frozenset()
        """Names of ours that are somebody else's for the moment."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is not None or name in self.meant_elsewhere:
            return None
        if name in OWN:
            return PathFinder.find_spec(name, [ROOT], target)
        if name in sys.stdlib_module_names and name not in _NOT_MEANT:
            return PathFinder.find_spec(name, self._library, target)
        return None


_own_first = OwnFirst()


def go_first() -> None:
    """Let what this process imports from now on be ours, or Python's, where the name is."""
    if _own_first not in sys.meta_path:
        sys.meta_path.insert(0, _own_first)


def look_here() -> None:
    """Let modules in the current folder be found, before those that are installed, as python -m does."""
    try:
        here = os.getcwd()  # noqa: PTH109 (sys.path holds strings)
    except FileNotFoundError:
        return  # it was deleted
    if here not in sys.path and not sys.flags.safe_path:
        sys.path.insert(0, here)


@contextmanager
def theirs_first() -> Iterator[None]:
    """Let the modules that a person has under our names be found within: what imports `cli` there means cli.py.

    Our modules of these names step aside, and come back afterwards. `cloudkon` stays: it is what the tasks import.
    """
    names = frozenset(name for name in OWN - {"cloudkon"} if files_of(name))
    ours = {key: module for key, module in sys.modules.items() if key.partition(".")[0] in names}
    for key in ours:
        del sys.modules[key]
    before, _own_first.meant_elsewhere = _own_first.meant_elsewhere, names
    try:
        yield
    finally:
        _own_first.meant_elsewhere = before
        for key in [key for key in sys.modules if key.partition(".")[0] in names]:
            del sys.modules[key]
        sys.modules.update(ours)


def files_of(name: str) -> list[str]:
    """The files on sys.path, in order, that hold a module of this name and are not ours."""
    return [
        file
        for folder in dict.fromkeys(os.path.realpath(entry) for entry in sys.path)
        if folder != ROOT
        for file in (os.path.join(folder, name, "__init__.py"), os.path.join(folder, f"{name}.py"))  # noqa: PTH118 (as above)
        if os.path.isfile(file)  # noqa: PTH113 (as above)
    ]
