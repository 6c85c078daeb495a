"""A port that can be shut: nobody gets through until it is opened."""

from typing import Any

from cloudkon.errors import CloudKonError


class Gate:
    def __init__(self, error: CloudKonError) -> None:
        self._error = error
        self.shut = False

    def before(self, port: Any) -> Any:
        return _Gated(self, port)

    def check(self) -> None:
        if self.shut:
            raise self._error


class _Gated:
    def __init__(self, gate: Gate, port: Any) -> None:
        self._gate = gate
        self._port = port

    def __getattr__(self, verb: str) -> Any:
        call = getattr(self._port, verb)

        def through(*args: Any, **kwargs: Any) -> Any:
            self._gate.check()
            return call(*args, **kwargs)

        return through
