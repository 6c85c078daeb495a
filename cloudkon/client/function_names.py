"""By which name a function travels: never the function itself, for a worker runs only what it was started with.

A function marked with @task has the name of its tasks. Any other is `module:function`.
"""

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from cloudkon.errors import InputError
from cloudkon.handlers.registry import task_names

_MAIN = "__main__"
_CURE = "Write it as a function (def) at the top of a module, and pass that"


def name_of(function: Callable[..., Any]) -> str:
    """The name that a line of a workload calls the function by; raise InputError for one that nobody else could find.

    The module has to hold this very function under this name: what a worker imports is then the same.
    """
    if marked := task_names(function):
        return marked[0]
    if inspect.ismethod(function):
        raise InputError(
            f"{_shown(function)} is a method, and its object stays here: only names travel to workers, nothing is "
            f"pickled. {_CURE}."
        )
    name, qualified = getattr(function, "__name__", ""), getattr(function, "__qualname__", "")
    if name == "<lambda>":
        raise InputError(
            f"A lambda ({_place(function)}) has no name by which a worker could find it: nothing is pickled. {_CURE}."
        )
    if not name or isinstance(function, type):
        raise InputError(
            f"A {type(function).__name__} can't be run by its name, as only functions are: nothing is pickled. {_CURE}."
        )
    if qualified != name:
        what = "is defined within a function" if "<locals>" in qualified else "belongs to a class"
        raise InputError(
            f"{_shown(function)} {what}, where no worker could find it by its name: nothing is pickled. {_CURE}."
        )
    return f"{_module_of(function, name)}:{name}"


def _module_of(function: Callable[..., Any], name: str) -> str:
    module = sys.modules.get(function.__module__ or "")
    if module is None or getattr(module, name, None) is not function:
        raise InputError(
            f"{function.__module__}:{name} is not this function, but another object, or none: a worker would run that "
            "in its place. Pass the function that the module holds under this name."
        )
    return _name_of_main(module) if module.__name__ == _MAIN else module.__name__


def _name_of_main(module: ModuleType) -> str:
    """A script is imported elsewhere by the name of its file; what was typed in has none."""
    spec = getattr(module, "__spec__", None)
    if spec is not None:
        return str(spec.name).removesuffix(f".{_MAIN}")
    file = getattr(module, "__file__", None)
    if file is None or not Path(file).stem.isidentifier():
        where = "was typed into a notebook, or a shell" if file is None else f"is in {file}, which can't be imported"
        raise InputError(
            f"A function that {where} can't be found by a worker: only names travel, nothing is pickled. Put it into a "
            "file beside this one (in a notebook, begin its cell with %%writefile my_tasks.py), and pass it after "
            "import my_tasks."
        )
    return Path(file).stem


def _shown(function: Any) -> str:
    return str(getattr(function, "__qualname__", type(function).__name__))


def _place(function: Any) -> str:
    code = getattr(function, "__code__", None)
    return "written in C" if code is None else f"line {code.co_firstlineno} of {Path(code.co_filename).name}"
