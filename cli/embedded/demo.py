from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from cli.embedded.sandbox import follow, own_cloud, own_workers, run_cli, say, submit
from cli.terminal.options import uses_clock
from cloudkon.clock import Clock

_INSTANT_TASKS, _SHORT_TASKS = 5_000, 1_000
_MALFORMED = ('sleep "1', '{"task": "sleep", "args": [1}', '{"args": [1]}', "sleep \x07")
_WORKERS, _THREADS = 2, 4
NEXT_STEPS = (
    "source .venv/bin/activate",
    "cloudkon-cli generate sleep --tasks 1000 --ms 10 | cloudkon-cli run LOCAL - -t 8",
    "cloudkon-cli results",
)
"""What to type after the demonstration, in a clone."""


@click.command()
@uses_clock
def demo(*, clock: Clock) -> None:
    """Run the demonstration: start the embedded cloud, deploy, run 6,000 tasks on two workers, show the statistics.

    Nothing is left behind, also after Ctrl-C. An embedded cloud that is already up is not touched.

    \b
    Example:
      cloudkon-cli demo
    """
    with ExitStack() as cleanup:
        home = Path(cleanup.enter_context(TemporaryDirectory(prefix="cloudkon-demo-")))
        environment = cleanup.enter_context(own_cloud(home, clock))
        tasks = home / "demo.txt"
        tasks.write_text("".join(f"{line}\n" for line in workload()), encoding="utf-8")
        say(f"starting {_WORKERS} workers of {_THREADS} threads each")
        workers = cleanup.enter_context(own_workers(home, environment, clock, _WORKERS, _THREADS))
        cleanup.callback(say, "cleaning up")
        say(f"dropping {_INSTANT_TASKS + _SHORT_TASKS:,} tasks and {len(_MALFORMED)} malformed lines into the bucket")
        job = submit(tasks, environment)
        follow(job, workers, environment, home)
        run_cli(environment, "stats", job)
    say("All of it is gone again. Now some tasks of your own, on this machine:")
    for step in NEXT_STEPS:
        say(f"  {step}")


def workload() -> Iterator[str]:
    """The demo's lines: one short task after every five instant ones, and a few that are no tasks at all."""
    instant = _INSTANT_TASKS // _SHORT_TASKS
    for _ in range(_SHORT_TASKS):
        yield from ["sleep 0"] * instant
        yield "sleep 10"
    yield from _MALFORMED
