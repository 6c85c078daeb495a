"""Work on a thread pool whose results come in the order of the items, with few of them under way at a time."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_ItemT = TypeVar("_ItemT")
_ResultT = TypeVar("_ResultT")


def futures_in_order(
    work: Callable[[_ItemT], _ResultT], items: Iterable[_ItemT], threads: int, name: str
) -> "Generator[Future[_ResultT]]":
    """Yield a future for each item, in order; the caller waits for its result.

    Draws at most `threads` items ahead of the one that is yielded, so memory stays bounded. Closing the generator
    drops what has not begun and waits for what has.
    """
    pool = ThreadPoolExecutor(threads, name)
    under_way: deque[Future[_ResultT]] = deque()
    try:
        for item in items:
            under_way.append(pool.submit(work, item))
            if len(under_way) > threads:
                yield under_way.popleft()
        while under_way:
            yield under_way.popleft()
    finally:
        for future in under_way:
            future.cancel()
        pool.shutdown()
