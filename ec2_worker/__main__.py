"""Starts a worker: python -m ec2_worker --threads N."""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from types import FrameType

from cloudkon import wiring
from cloudkon.clock import SystemClock
from cloudkon.errors import CloudKonError, InputError
from cloudkon.process import end_programs
from cloudkon.settings import Settings
from ec2_worker.handlers import handlers
from ec2_worker.worker import Surroundings, Worker, worker_name

log = logging.getLogger("ec2_worker")


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Run a worker until it is idle or told to stop; return the exit code."""
    options = _parser().parse_args(argv)
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
    logging.getLogger("botocore").setLevel(logging.WARNING)  # it tells where it found the credentials, at every start
    try:
        _work(options, environ)
    except InputError as error:
        log.error("%s", error)  # noqa: TRY400 (a person's mistake has no traceback)
        return 2
    except CloudKonError as error:
        log.error("%s", error)  # noqa: TRY400 (as above)
        return 1
    return 0


def _work(options: argparse.Namespace, environ: Mapping[str, str]) -> None:
    registry = handlers(options.tasks, options.allow)
    asked = {} if options.drain_seconds is None else {"drain_s": options.drain_seconds}
    settings = Settings.from_environ(environ, **asked)
    cloud = wiring.cloud(wiring.stage_from(environ), settings)
    name = worker_name()
    around = Surroundings(
        tasks=cloud.queue(options.source) if options.source else cloud.tasks,
        process=cloud.process,
        dead_letters=cloud.dead_letters,
        ledger=cloud.ledger,
        results=cloud.results,
        clock=SystemClock(),
        meter=cloud.meter,
    )
    worker = Worker(around, registry, settings, name=name, slots=options.threads)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        worker.drain()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    queue = options.source or cloud.names.task_queue
    log.info("worker %s: %d slots on queue %s, tasks %s", name, options.threads, queue, ", ".join(registry.names))
    try:
        worker.run(options.until_idle)
    finally:
        end_programs()
    log.info("worker %s: stopped", name)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ec2_worker",
        description="Runs CloudKon tasks on N threads.",
        epilog="Durations can be set in the environment, such as CLOUDKON_LEASE_S; see cloudkon/settings.py.",
    )
    parser.add_argument(
        "-t",
        "--threads",
        type=_at_least_one,
        default=os.cpu_count() or 1,
        metavar="N",
        help="slots: tasks run at a time (default: one a core)",
    )
    parser.add_argument("-s", "--source", metavar="QUEUE", help="take tasks from this queue (default: the stage's)")
    parser.add_argument(
        "--tasks",
        action="append",
        default=[],
        metavar="MODULE",
        help="load the handlers of an importable module; may be given several times",
    )
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        choices=["shell"],
        help="run tasks that are refused otherwise: shell runs any command that a workload holds",
    )
    parser.add_argument("--until-idle", type=_seconds, metavar="SECONDS", help="exit when nothing came for that long")
    parser.add_argument(
        "--drain-seconds",
        type=_seconds,
        metavar="SECONDS",
        help=f"after SIGTERM, go on for so long with what was begun (default: {Settings().drain_s:g})",
    )
    return parser


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1 is needed")
    return number


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError("a number of seconds from 0 up is needed")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
