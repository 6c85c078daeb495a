"""The tables of docs/benchmarks.md, from what was measured."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from textwrap import fill

from bench.peers import summary
from bench.peers.contestants import OURS
from bench.peers.measuring import Row

_WIDTH = 130
Table = Callable[[Sequence[Row]], str]


def threads(rows: Sequence[Row]) -> str:
    """Tasks a second by program and work."""
    works = summary.works(rows)
    head = ["tasks a second", *works, "CPU a task", "peak memory"]
    return _markdown(head, _thread_lines(rows, works))


def _thread_lines(rows: Sequence[Row], works: Sequence[str]) -> Iterator[Sequence[str]]:
    for program in summary.programs(rows):
        own = {row["work"]: row for row in rows if row["program"] == program}
        first = own[works[0]]
        rates = [_middle_and_best(own[work]) for work in works]
        cpu, peak = summary.middle(first, summary.cpu_us(first)), summary.middle(first, summary.peak_mb)
        yield [program, *rates, f"{summary.number(cpu)} µs", f"{peak:.0f} MB"]


def _middle_and_best(row: Row) -> str:
    middle, best = (taken(row, summary.rate(row)) for taken in (summary.middle, summary.most))
    return f"{summary.number(middle)} ({summary.number(best)})"


def processes(rows: Sequence[Row]) -> str:
    """Seconds by program, and how they compare with ours."""
    ours = summary.middle(rows[0], summary.makespan_s)
    return _markdown(
        ["program", "median", "best", "CPU", "time, in CloudKon's"],
        (
            [
                row["program"],
                f"{summary.middle(row, summary.makespan_s):.2f} s",
                f"{summary.least(row, summary.makespan_s):.2f} s",
                f"{summary.middle(row, summary.named('cpu_s')):.2f} s",
                f"{summary.middle(row, summary.makespan_s) / ours:.2f}",
            ]
            for row in rows
        ),
    )


def commands(rows: Sequence[Row]) -> str:
    return _markdown(
        ["program", "commands a second, median", "best", "CPU a command"],
        (
            [
                row["program"],
                summary.number(summary.middle(row, summary.rate(row))),
                summary.number(summary.most(row, summary.rate(row))),
                f"{summary.middle(row, summary.cpu_us(row)) / 1000:.2f} ms",
            ]
            for row in rows
        ),
    )


def efficiency(rows: Sequence[Row]) -> str:
    """By length of task and program; a column for each number of slots."""
    slots = sorted({row["slots"] for row in rows})
    found = {(row["work"], row["program"], row["slots"]): summary.efficiency(row) for row in rows}
    return _markdown(
        ["tasks of", "program", *(f"{count} slot{'s' * (count > 1)}" for count in slots)],
        (
            [work, program, *(f"{found[work, program, count]:.2f}" for count in slots)]
            for work in summary.works(rows)
            for program in summary.programs(rows)
        ),
    )


def growth(rows: Sequence[Row]) -> str:
    programs = summary.programs(rows)
    found = {(row["tasks"], row["program"]): row for row in rows}
    return _markdown(
        ["tasks", *(f"{program}: {what}" for program in programs for what in ("time", "memory"))],
        (
            [
                f"{tasks:,}",
                *(
                    text
                    for program in programs
                    for text in (
                        f"{summary.middle(found[tasks, program], summary.makespan_s):.2f} s",
                        f"{summary.middle(found[tasks, program], summary.peak_mb):.0f} MB",
                    )
                ),
            ]
            for tasks in sorted({row["tasks"] for row in rows})
        ),
    )


def tails(rows: Sequence[Row]) -> str:
    return _markdown(
        ["program", "median", "best"],
        (
            [
                row["program"],
                f"{summary.middle(row, summary.over_ideal(row)):.2f}",
                f"{summary.least(row, summary.over_ideal(row)):.2f}",
            ]
            for row in rows
        ),
    )


def queues(rows: Sequence[Row]) -> str:
    """Ours has two lines of money: all of it, and what SQS alone takes, which is all that the others use."""
    return _markdown(
        [
            "program",
            "tasks",
            "tasks a second",
            "SQS calls a task",
            "USD a million, SQS",
            "calls a task, all",
            "USD, all",
        ],
        (_queue_line(row) for row in rows),
    )


def _queue_line(row: Row) -> Sequence[str]:
    calls = summary.middle(row, summary.named("calls_per_task"))
    usd = summary.middle(row, summary.named("usd_per_million"))
    sqs_calls, sqs_usd = calls, usd
    if row["program"] == OURS:
        sqs_calls = summary.middle(row, summary.named("sqs_calls_per_task"))
        sqs_usd = summary.middle(row, summary.named("usd_per_million_sqs"))
    rate = summary.middle(row, summary.named("tasks_per_s"))
    shown = (f"{sqs_calls:.4f}", f"{sqs_usd:.4f}", f"{calls:.4f}", f"{usd:.4f}")
    return [row["program"], f"{row['tasks']:,}", summary.number(rate), *shown]


def cloud(rows: Sequence[Row]) -> str:
    """Of jobs on the embedded cloud: what was reached of the ideal, and what it cost."""
    return _markdown(
        ["job", "slots", "ideal", "makespan, median", "best", "efficiency", "best", "bundles", "calls a task"],
        (
            [
                f"{row['tasks']:,} x {row['work']}",
                str(row["slots"]),
                f"{row['ideal_s']:.2f} s",
                f"{summary.middle(row, summary.makespan_s):.2f} s",
                f"{summary.least(row, summary.makespan_s):.2f} s",
                f"{summary.efficiency(row):.2f}",
                f"{row['ideal_s'] / summary.least(row, summary.makespan_s):.2f}",
                summary.number(summary.middle(row, summary.named("bundles"))),
                f"{summary.middle(row, summary.named('calls_per_task')):.3f}",
            ]
            for row in rows
        ),
    )


TABLES: Mapping[str, Table] = {
    "threads": threads,
    "processes": processes,
    "commands": commands,
    "efficiency": efficiency,
    "growth": growth,
    "tails": tails,
    "queues": queues,
    "cloud": cloud,
    "workers": cloud,
}


def versions(told: Mapping[str, str]) -> str:
    """One sentence with all versions; a program that tells its own name is not named twice."""
    named = [told[name] if name in told[name] else f"{name} {told[name]}" for name in sorted(told, key=str.lower)]
    return fill(", ".join(named) + ".", _WIDTH)


def _markdown(head: Sequence[str], lines: Iterator[Sequence[str]]) -> str:
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *lines))
