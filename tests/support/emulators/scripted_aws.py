"""AWS clients that answer what a test has written down for each verb; an unscripted verb is refused."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError


def refusal(code: str, status: int = 400) -> ClientError:
    """What boto3 raises for an error of AWS's."""
    answer: Any = {
        "Error": {"Code": code, "Message": f"said {code}"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, "Verb")


class ScriptedClient:
    """Answers by verb: a value, a function of the arguments, or an exception to raise; pages are one page."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self._answers = answers
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            self.calls.append((verb, arguments))
            answer = self._answers.get(verb, refusal("AccessDenied", 403))
            if callable(answer):
                answer = answer(**arguments)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call

    def get_paginator(self, verb: str) -> "_Pages":
        return _Pages(getattr(self, verb))


class _Pages:
    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def paginate(self, **arguments: Any) -> Iterator[Any]:
        yield self._call(**arguments)


class ScriptedSession:
    """Makes the clients of cloudkon.aws.session.Session, by the same names."""

    def __init__(self, **services: Mapping[str, Any]) -> None:
        self.clients = {name: ScriptedClient(answers) for name, answers in services.items()}

    def __getattr__(self, service: str) -> Callable[..., ScriptedClient]:
        return lambda _region=None: self.clients.setdefault(service, ScriptedClient({}))
