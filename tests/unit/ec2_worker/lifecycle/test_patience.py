"""A worker that starts while AWS gives no answers, or a proxy gives others, asks again as one that works does."""

from collections.abc import Callable
from typing import NoReturn

import pytest

from cloudkon.clock import SystemClock
from cloudkon.errors import DeniedError, InputError, UnavailableError
from ec2_worker.__main__ import main
from ec2_worker.lifecycle.exits import Exit
from ec2_worker.lifecycle.patience import TRIES, patiently
from tests.support.manual_clock import ManualClock

NO_ANSWER = UnavailableError("Could not find the queue: what answered does not speak AWS's language.")


def failing(*errors: Exception) -> Callable[..., str]:
    """What fails in these ways, one after the other, and then answers."""
    left = list(errors)

    def ask(*_: object) -> str:
        if left:
            raise left.pop(0)
        return "the answer"

    return ask


def test_what_gives_no_answer_is_asked_again() -> None:
    """With waits between, and only so often: what never answers is told in the end."""
    clock = ManualClock()
    before_s = clock.monotonic_s()
    assert patiently(failing(*[NO_ANSWER] * (TRIES - 1)), clock) == "the answer"
    assert clock.monotonic_s() > before_s
    with pytest.raises(UnavailableError):
        patiently(failing(*[NO_ANSWER] * TRIES), clock)


def test_a_refusal_is_an_answer() -> None:
    """Wrong credentials are not tried again."""
    with pytest.raises(DeniedError):
        patiently(failing(DeniedError("no")), ManualClock())


def test_a_garbled_answer_at_the_start_does_not_end_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here the third try is answered; that something else is refused then shows that the worker came so far."""
    services = failing(NO_ANSWER, NO_ANSWER)

    def refuse(*_: object, **__: object) -> NoReturn:
        raise InputError("the start is over")

    monkeypatch.setattr(SystemClock, "sleep", lambda *_: None)
    monkeypatch.setattr("ec2_worker.assembly.aws_services", services)
    monkeypatch.setattr("ec2_worker.assembly.build", refuse)
    assert main([], {"AWS_DEFAULT_REGION": "eu-central-1"}) == Exit.REFUSED
