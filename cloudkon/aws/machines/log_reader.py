"""What workers have said, from where their machines ship it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloudkon.aws.errors import translated

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient


@dataclass(frozen=True, slots=True)
class LogLine:
    machine: str
    """The log stream: the instance's id."""
    at_ms: int
    text: str
    id: str


class LogReader:
    """One log group."""

    def __init__(self, client: "CloudWatchLogsClient", group: str) -> None:
        self._client = client
        self._group = group

    def lines(self, since_ms: int, machine: str | None = None) -> Iterator[LogLine]:
        """The lines from a moment on, in their order; raises NotFoundError where nothing was ever shipped."""
        asked: dict[str, Any] = {"logGroupName": self._group, "startTime": since_ms, "interleaved": True}
        if machine:
            asked["logStreamNamePrefix"] = machine
        with translated(f"read the log {self._group}"):
            for page in self._client.get_paginator("filter_log_events").paginate(**asked):
                for event in page["events"]:
                    yield LogLine(
                        event["logStreamName"], event["timestamp"], event["message"].rstrip("\n"), event["eventId"]
                    )
