"""Functions that tests of the client run, and what they share with them: all in one process."""

import threading
from datetime import date

from cloudkon import context, task


class Gate:
    """Lets the tasks of one test wait for it."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.opened = threading.Event()

    def close(self) -> None:
        self.begun.clear()
        self.opened.clear()


GATE = Gate()
RAN: list[int] = []


def square(x: int) -> int:
    RAN.append(x)
    return x * x


def root(x: float) -> float:
    return float(x**0.5)


def picky(x: int) -> int:
    if x % 3 == 0:
        raise ValueError(f"not {x}")
    return x


def waits(x: int) -> int:
    GATE.begun.set()
    assert GATE.opened.wait(60)
    return x


def birthday(text: date) -> date:
    return text.replace(year=2000)


def large(x: int) -> str:
    return "x" * x


def raw(x: int) -> bytes:
    return bytes(x)


def both(x: int) -> str:
    context().store("side.txt", b"side")
    return "y" * x


def add(a: int, b: int) -> int:
    return a + b


@task("marked", retries=2)
def marked(x: int) -> int:
    RAN.append(x)
    if RAN.count(x) < 3:
        raise RuntimeError("again")
    return -x


def talks(x: int) -> None:
    print("said", x)  # noqa: T201 (what is tested)


class Crowd:
    """How many tasks run at a time; each waits until as many are there as are expected."""

    def __init__(self, expected: int) -> None:
        self.barrier = threading.Barrier(expected)
        self.lock = threading.Lock()
        self.now = self.most = 0


CROWDS: list[Crowd] = []


def counted(x: int) -> int:
    crowd = CROWDS[-1]
    with crowd.lock:
        crowd.now += 1
        crowd.most = max(crowd.most, crowd.now)
    crowd.barrier.wait(60)
    with crowd.lock:
        crowd.now -= 1
    return x
