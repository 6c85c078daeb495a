"""By which names functions travel, and which have none."""

import functools
import math
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from cloudkon import task
from cloudkon.client.function_names import name_of
from cloudkon.errors import InputError


def double(x: int) -> int:
    return 2 * x


@task("marked-name")
def marked(x: int) -> int:
    return x


class Doubler:
    def double(self, x: int) -> int:
        return 2 * x

    @staticmethod
    def static(x: int) -> int:
        return 2 * x


def nested() -> Callable[[], None]:
    def inner() -> None:
        pass

    return inner


def replaced() -> None:
    pass


REPLACED = replaced


def replaced() -> None:  # type: ignore[no-redef]
    pass


def test_a_function_travels_by_module_and_name() -> None:
    """An ordinary function is named by its module and its own name, one that is written in C as well."""
    assert name_of(double) == f"{__name__}:double"
    assert name_of(math.sqrt) == "math:sqrt"


def test_a_marked_function_travels_by_its_tasks_name() -> None:
    """A function with @task is named as in the lines of workloads, and so is what was marked without being one."""
    assert name_of(marked) == "marked-name"
    assert name_of(task("by-mark")(functools.partial(double, 3))) == "by-mark"


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: x, r"A lambda \(line \d+ of test_function_names.py\) has no name"),
        (nested(), "is defined within a function"),
        (Doubler().double, "is a method, and its object stays here"),
        (Doubler.static, "belongs to a class"),
        (Doubler, "A type can't be run by its name"),
        (functools.partial(double, 1), "A partial can't be run by its name"),
        (REPLACED, "is not this function, but another object"),
    ],
    ids=["lambda", "nested", "method", "static", "class", "partial", "replaced"],
)
def test_what_nobody_else_could_find_is_refused(function: Any, reason: str) -> None:
    """A function without a name of its own in a module is refused with the reason; what to do is said."""
    with pytest.raises(InputError, match=reason):
        name_of(function)


def in_main(monkeypatch: pytest.MonkeyPatch, **attributes: Any) -> Callable[[], None]:
    main = ModuleType("__main__")
    vars(main).update(attributes)
    exec("def typed(): pass", vars(main))
    monkeypatch.setitem(sys.modules, "__main__", main)
    function: Callable[[], None] = main.typed
    return function


def test_a_notebooks_function_is_told_to_move_into_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was typed into a notebook has no module that a worker could import, and the error says how it gets one."""
    with pytest.raises(InputError, match=r"typed into a notebook.*%%writefile my_tasks.py"):
        name_of(in_main(monkeypatch))


def test_a_scripts_function_travels_by_the_scripts_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function of a script is named by the module that its file is, and with python -m by that module."""
    assert name_of(in_main(monkeypatch, __file__="/home/ada/primes.py")) == "primes:typed"
    spec = type("Spec", (), {"name": "tools.primes.__main__"})
    assert name_of(in_main(monkeypatch, __file__="x", __spec__=spec)) == "tools.primes:typed"


def test_a_script_that_cant_be_imported_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file with a name that no import statement takes gives its functions no name."""
    with pytest.raises(InputError, match="which can't be imported"):
        name_of(in_main(monkeypatch, __file__="/home/ada/my-primes.py"))
