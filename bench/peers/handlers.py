"""The same work as tasks of CloudKon."""

from collections.abc import Mapping
from typing import Any

from bench.peers import work
from cloudkon import task


@task
def noop(first: str, second: str) -> None:
    work.noop(first, second)


@task
def value(number: str) -> Mapping[str, Any]:
    return work.value(number)


@task
def compute(upto: str) -> int:
    return work.compute(upto)


@task
def mark() -> None:
    work.mark()
