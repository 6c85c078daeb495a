"""What a task is told that no handler knows."""

import pytest

from cloudkon.handlers.registry import Registry, UnknownTaskError
from cloudkon.handlers.shell import shell
from cloudkon.handlers.sleep import sleep
from cloudkon.workload.task_line import Task


@pytest.mark.parametrize(("name", "meant"), [("Sleep", "sleep"), ("slep", "sleep"), ("Shel", "shell")])
def test_the_nearest_handler_is_suggested(name: str, meant: str) -> None:
    """A task whose name is misspelt, or has other capitals, is rejected with the name that may have been meant."""
    registry = Registry([sleep], refused={"shell": "it is not allowed"})
    with pytest.raises(UnknownTaskError, match=rf"no handler is named '{name}'. Did you mean '{meant}'\?"):
        registry.find(Task(name, (), {}))


def test_nothing_is_suggested_where_nothing_is_near() -> None:
    """A name like no other gets the names that there are."""
    with pytest.raises(UnknownTaskError, match=r"'fetch' \(this worker knows shell, sleep\)"):
        Registry([sleep, shell]).find(Task("fetch", (), {}))
