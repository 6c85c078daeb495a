"""A clock that moves only when somebody sleeps or a test says so."""


class StillClock:
    def __init__(self, now_ms: int = 1_750_000_000_000) -> None:
        self._now_ms = now_ms
        self.slept: list[float] = []

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic_s(self) -> float:
        return self._now_ms / 1000

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._now_ms += round(seconds * 1000)
