"""The command line of a worker."""

import argparse

from cloudkon.settings import Settings
from ec2_worker.lifecycle.supervisor import SUPERVISED


def parser() -> argparse.ArgumentParser:
    """The options of python -m ec2_worker."""
    made = argparse.ArgumentParser(
        prog="python -m ec2_worker",
        description="Runs CloudKon tasks on N threads.",
        epilog="Durations can be set in the environment, such as CLOUDKON_LEASE_S; see cloudkon/settings.py.",
    )
    made.add_argument(
        "-t",
        "--threads",
        type=_at_least_one,
        metavar="N",
        help="slots: tasks run at a time (default: one a core)",
    )
    made.add_argument(
        "-p",
        "--processes",
        type=_at_least_one,
        metavar="P",
        help="start P processes of N threads each, and restart those that die (default: this process does the work)",
    )
    made.add_argument(SUPERVISED, type=int, help=argparse.SUPPRESS)
    made.add_argument("-s", "--source", metavar="QUEUE", help="take tasks from this queue (default: the stage's)")
    made.add_argument(
        "--tasks",
        action="append",
        default=[],
        metavar="MODULE",
        help="load the handlers of an importable module; may be given several times",
    )
    made.add_argument(
        "--allow",
        action="append",
        default=[],
        choices=["shell"],
        help="run tasks that are refused otherwise: shell runs any command that a workload holds",
    )
    made.add_argument("--until-idle", type=_seconds, metavar="SECONDS", help="exit when nothing came for that long")
    made.add_argument(
        "--drain-seconds",
        type=_seconds,
        metavar="SECONDS",
        help=f"after SIGTERM, go on for so long with what was begun (default: {Settings().drain_s:g})",
    )
    made.add_argument(
        "--check",
        action="store_true",
        help="take no task: say whether this machine can be a worker, and exit with 0 or 1",
    )
    made.add_argument(
        "--keep-logs",
        action="store_true",
        help="keep what every task prints and logs, not only of those that failed",
    )
    made.add_argument(
        "--breaker",
        type=_count,
        metavar="TASKS",
        help=f"pause a job whose first TASKS tasks all fail; 0: never (default: {Settings().breaker_tasks})",
    )
    return made


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1 is needed")
    return number


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("a whole number from 0 up is needed")
    return number


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError("a number of seconds from 0 up is needed")
    return seconds
