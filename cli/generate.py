import sys

import click

from cloudkon.sleep import MAX_SLEEP_MS

_BLOCK = 10_000


@click.group()
def generate() -> None:
    """Write workloads for trying things out to stdout.

    \b
    Example:
      cloudkon-cli generate sleep --tasks 100000 --ms 0 > tasks.txt
    """


@generate.command()
@click.option("--tasks", type=click.IntRange(min=0), required=True, help="How many tasks.")
@click.option(
    "--ms",
    "duration_ms",
    type=click.IntRange(0, MAX_SLEEP_MS),
    default=0,
    show_default=True,
    help="How long each sleeps [ms].",
)
def sleep(tasks: int, duration_ms: int) -> None:
    """Write a workload of tasks that only take time.

    \b
    Examples:
      cloudkon-cli generate sleep --tasks 1000 --ms 10 > tasks.txt
      cloudkon-cli generate sleep --tasks 50000 | cloudkon-cli submit - --name sleep.txt
    """
    out = sys.stdout.buffer
    line = f"sleep {duration_ms}\n".encode()
    block = line * _BLOCK
    for _ in range(tasks // _BLOCK):
        out.write(block)
    out.write(line * (tasks % _BLOCK))
