"""Breaks a worker at a chosen call of a port: before the call, or after it has done its work."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cloudkon.errors import UnavailableError


class Crash(BaseException):
    """The process is gone."""


@dataclass(slots=True)
class Fuse:
    """Trips once, at the n-th call from now."""

    calls_left: int | None = None
    after: bool = False
    crash: bool = True

    def set(self, fault: tuple[int, bool, bool] | None) -> None:
        """Arm it with (calls, after the call's work, crash or only lose the answer), or disarm it."""
        self.calls_left = None
        if fault is not None:
            self.calls_left, self.after, self.crash = fault

    def guard(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self.calls_left is None:
            return call(*args, **kwargs)
        self.calls_left -= 1
        if self.calls_left > 0:
            return call(*args, **kwargs)
        self.calls_left = None
        if self.after:
            call(*args, **kwargs)
        if self.crash:
            raise Crash
        raise UnavailableError("The fuse has tripped.")


class Fused:
    """A port whose every call goes through a fuse."""

    def __init__(self, port: Any, fuse: Fuse) -> None:
        self._port = port
        self._fuse = fuse

    def __getattr__(self, verb: str) -> Any:
        call = getattr(self._port, verb)
        return lambda *args, **kwargs: self._fuse.guard(call, *args, **kwargs)
