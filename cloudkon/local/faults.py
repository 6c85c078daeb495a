"""Faults of a service, drawn with a seed, so often that programs are tested by them."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, MutableSequence
from enum import StrEnum
from itertools import islice
from typing import Any, TypeVar

from cloudkon.clock import Clock
from cloudkon.errors import UnavailableError

_Answer = TypeVar("_Answer")
_MOST_BEFORE_THE_BREAK = 16


class Fault(StrEnum):
    DUPLICATE = "duplicated"  # a message is sent twice
    REORDER = "reordered"  # a received batch comes in another order
    REFUSE = "refused"  # an entry of a batch is refused, the others are not
    DELAY = "delayed"  # a call takes its time, before its work or after it
    THROTTLE = "throttled"  # this call and those after it, for a while, do nothing and fail
    FAIL = "failed"  # a call does nothing and fails
    LOSE_ANSWER = "answers lost"  # a call does its work, and its caller hears nothing of it


class Faults:
    """Decides which call fails and how; any number of wrapped ports and threads share one.

    The odds lie between 0 and 1; what has none never happens. Each place (a verb of a port) draws from a sequence of
    its own, so that its n-th call meets the same fate whatever the other threads do meanwhile.
    Callers hear of all failures as UnavailableError: those of a real service can't tell them apart either.
    """

    def __init__(
        self, seed: int, odds: Mapping[Fault, float], clock: Clock, *, delay_s: float = 0.05, throttle_s: float = 0.2
    ) -> None:
        if not all(0 <= chance <= 1 for chance in odds.values()):
            raise ValueError(f"odds lie between 0 and 1, and these do not: {odds}")
        self._seed = seed
        self._odds = odds
        self._clock = clock
        self._delay_s = delay_s
        self._throttle_s = throttle_s
        self._lock = threading.Lock()
        self._places: dict[str, random.Random] = {}
        self._throttled_until_s: dict[str, float] = {}
        self._injected: Counter[Fault] = Counter()

    @property
    def injected(self) -> Mapping[Fault, int]:
        """How often each fault has happened so far."""
        with self._lock:
            return dict(self._injected)

    def happens(self, fault: Fault, place: str) -> bool:
        """Draw once, and count it if it happens."""
        chance = self._odds.get(fault, 0.0)
        with self._lock:
            it_does = chance > 0 and self._random(place).random() < chance
            self._injected[fault] += it_does
        return it_does

    def reorder(self, place: str, batch: MutableSequence[Any]) -> None:
        """Shuffle a batch, if that happens to it."""
        if len(batch) > 1 and self.happens(Fault.REORDER, place):
            with self._lock:
                self._random(place).shuffle(batch)

    def risk(self, place: str, act: Callable[[], _Answer]) -> _Answer:
        """Call, with everything that may happen to a call."""
        self._throttle(place)
        if self.happens(Fault.FAIL, place):
            raise UnavailableError(f"{place} did not answer, as it was told to.")
        delays_s = self._delays_s(place)
        self._clock.sleep(delays_s[0])
        answer = act()
        self._clock.sleep(delays_s[1])
        if self.happens(Fault.LOSE_ANSWER, place):
            raise UnavailableError(f"The answer of {place} was lost, as it was told to be.")
        return answer

    def broken_off(self, place: str, items: Iterator[_Answer]) -> Iterator[_Answer]:
        """Give items out, and fail after some of them if that happens."""
        if not self.happens(Fault.FAIL, place):
            yield from items
            return
        with self._lock:
            some = self._random(place).randrange(_MOST_BEFORE_THE_BREAK + 1)
        yield from islice(items, some)
        raise UnavailableError(f"{place} broke off, as it was told to.")

    def _throttle(self, place: str) -> None:
        begins = self.happens(Fault.THROTTLE, place)
        now_s = self._clock.monotonic_s()
        with self._lock:
            if begins:
                self._throttled_until_s[place] = now_s + self._throttle_s
            if now_s >= self._throttled_until_s.get(place, now_s):
                return
            self._injected[Fault.THROTTLE] += not begins
        raise UnavailableError(f"{place} was throttled, as it was told to be.")

    def _delays_s(self, place: str) -> tuple[float, float]:
        if not self.happens(Fault.DELAY, place):
            return 0.0, 0.0
        with self._lock:
            delay_s, before = self._random(place).uniform(0, self._delay_s), self._random(place).random() < 1 / 2
        return (delay_s, 0.0) if before else (0.0, delay_s)

    def _random(self, place: str) -> random.Random:
        return self._places.setdefault(place, random.Random(f"{self._seed} {place}"))
