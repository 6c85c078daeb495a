from collections.abc import Iterator
from typing import Any

import click

from cli.terminal.durations import DurationParam
from cli.terminal.options import json_option, stage_option, uses_clock
from cli.terminal.output import Output
from cli.terminal.units import moment
from cloudkon.aws.machines.log_reader import LogLine, LogReader
from cloudkon.aws.session import Session
from cloudkon.clock import Clock

_POLL_S = 3.0
_LATE_MS = 60_000
"""How late a line may be shipped and still be shown by --follow."""


@click.command()
@click.argument("instance", required=False)
@click.option(
    "--since", type=DurationParam(), default="15m", show_default=True, metavar="DURATION", help="How far back."
)
@click.option("--follow", "-f", is_flag=True, help="Keep printing new lines, until Ctrl-C.")
@json_option
@stage_option
@uses_clock
def logs(stage: str, instance: str | None, since: int, *, clock: Clock, follow: bool, output: Output) -> None:
    """Print the log of all workers, or of one INSTANCE.

    \b
    Examples:
      cloudkon-cli workers logs
      cloudkon-cli workers logs i-0123456789abcdef0 --since 2h
      cloudkon-cli workers logs --follow
    """
    session = Session()
    reader = LogReader(session.logs(), session.names(stage).worker_log_group)
    since_ms = clock.now_ms() - since * 1000
    lines = _following(reader, since_ms, instance, clock) if follow else reader.lines(since_ms, instance)
    said = False
    for line in lines:
        said = True
        output.value(_as_json(line), [f"{moment(line.at_ms)} {line.machine} {line.text}"])
    if not said:
        output.say("Nothing was said in that time. Further back: --since 7d")


def _as_json(line: LogLine) -> dict[str, Any]:
    return {"instance": line.machine, "at_ms": line.at_ms, "text": line.text}


def _following(reader: LogReader, since_ms: int, instance: str | None, clock: Clock) -> Iterator[LogLine]:
    """Every line once: those of the last minute are read again and again, for some are shipped late."""
    seen: dict[str, int] = {}
    while True:
        for line in reader.lines(since_ms, instance):
            if line.id not in seen:
                seen[line.id] = line.at_ms
                yield line
        since_ms = max(since_ms, clock.now_ms() - _LATE_MS)
        seen = {name: at_ms for name, at_ms in seen.items() if at_ms >= since_ms}
        clock.sleep(_POLL_S)
