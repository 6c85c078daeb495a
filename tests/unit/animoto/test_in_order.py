"""Work on threads whose results come in order."""

from collections.abc import Iterator
from contextlib import closing
from threading import Event

import pytest

from animoto.in_order import futures_in_order


@pytest.mark.parametrize("threads", [1, 3])
def test_results_come_in_the_order_of_the_items(threads: int) -> None:
    """What is finished early still comes in its place."""
    assert [future.result() for future in futures_in_order(abs, range(-9, 1), threads, "test")] == list(
        range(9, -1, -1)
    )


def test_few_items_are_drawn_ahead() -> None:
    """No more items are drawn than the threads need, beside the one that is yielded."""
    drawn = []

    def draw() -> Iterator[int]:
        for item in range(10):
            drawn.append(item)
            yield item

    with closing(futures_in_order(abs, draw(), 2, "test")) as futures:
        next(futures)
        assert drawn == [0, 1, 2]


def test_an_error_belongs_to_its_item() -> None:
    """Work that fails fails its own future, and the others go on."""
    futures = list(futures_in_order(lambda item: 6 // item, [2, 0, 3], 1, "test"))
    assert [type(future.exception()) for future in futures] == [type(None), ZeroDivisionError, type(None)]


def test_closing_drops_what_has_not_begun() -> None:
    """Who has seen enough waits for what has begun, and for nothing else."""
    begun, go_on = [], Event()

    def work(item: int) -> None:
        begun.append(item)
        assert go_on.wait(10)

    futures = futures_in_order(work, range(10), 1, "test")
    first = next(futures)
    go_on.set()
    first.result()
    futures.close()
    assert len(begun) <= 2
