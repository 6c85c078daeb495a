"""Hands events to a Lambda function, as S3 does: without waiting for what becomes of them."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING

from cloudkon.aws.errors import translated

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class FunctionEvents:
    def __init__(self, client: "LambdaClient", function: str) -> None:
        self._client = client
        self._function = function

    def send(self, bodies: Sequence[str]) -> list[int]:
        """Hand each event over; return the positions of those that were not accepted."""
        return [position for position, body in enumerate(bodies) if not self._accepts(body)]

    def _accepts(self, body: str) -> bool:
        with translated(f"repeat an event of {self._function}"):
            answer = self._client.invoke(
                FunctionName=self._function, InvocationType="Event", Payload=body.encode(errors="surrogatepass")
            )
        return answer["StatusCode"] == HTTPStatus.ACCEPTED
