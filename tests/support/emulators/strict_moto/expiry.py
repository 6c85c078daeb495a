"""Temporary credentials as AWS has them: those that have expired open nothing, whatever they opened before.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html: ExpiredTokenException, "The security
token included in the request is expired", with HTTP status 403.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from moto.core.exceptions import JsonRESTError
from moto.dynamodb.responses import DynamoHandler


class ExpiredTokenError(JsonRESTError):
    code = 403

    def __init__(self) -> None:
        super().__init__("ExpiredTokenException", "The security token included in the request is expired")


class Keys:
    """Those that DynamoDB has been asked with, the newest last, and those that have expired."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.expired: set[str] = set()

    def expire(self) -> None:
        """All that have been seen."""
        self.expired.update(self.seen)


@contextmanager
def expiring_keys() -> Iterator[Keys]:
    """Have DynamoDB refuse keys that have expired, until the block ends."""
    keys, call_action = Keys(), DynamoHandler.call_action

    def asked(handler: Any) -> Any:
        if handler.access_key not in keys.seen:
            keys.seen.append(handler.access_key)
        if handler.access_key in keys.expired:
            raise ExpiredTokenError
        return call_action(handler)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DynamoHandler, "call_action", asked)
        yield keys
