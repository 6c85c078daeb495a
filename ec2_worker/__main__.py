"""Starts a worker: python -m ec2_worker --threads N, and with --processes P as many processes of N threads."""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import FrameType

from cloudkon import wiring
from cloudkon.clock import SystemClock
from cloudkon.errors import CloudKonError, InputError
from cloudkon.handlers.program import end_programs
from cloudkon.handlers.scratch import sweep
from cloudkon.settings import Settings
from cloudkon.signals import listen
from cloudkon.stage.checkup import Verdict
from ec2_worker.handlers import PICTURE_NETWORKS_VARIABLE, PictureSources, handlers
from ec2_worker.health.health import SickError
from ec2_worker.lifecycle.exits import Exit
from ec2_worker.lifecycle.imds import Metadata, metadata_endpoint
from ec2_worker.lifecycle.parent_link import Leash
from ec2_worker.lifecycle.restarts import Restarts
from ec2_worker.lifecycle.supervisor import SUPERVISED, Supervisor
from ec2_worker.selftest import check
from ec2_worker.services import Surroundings, worker_name
from ec2_worker.worker import Worker

log = logging.getLogger("ec2_worker")

_LAST_WORDS_S = 30.0
"""What a process gets past its drain, for its last calls, before its supervisor ends it."""


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Run a worker until it is idle or told to stop; return the exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    options = _parser().parse_args(arguments)
    leash = None if options.supervised is None else Leash(options.supervised)
    process = " [%(process)d]" if leash or options.processes else ""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format=f"%(asctime)s %(levelname)s{process} %(name)s: %(message)s",
        force=True,
    )
    logging.getLogger("botocore").setLevel(logging.WARNING)  # it tells where it found the credentials, at every start
    code = _end_of(options, environ, arguments, leash)
    if leash is not None:
        leash.farewell()
    return code


def _end_of(
    options: argparse.Namespace, environ: Mapping[str, str], arguments: Sequence[str], leash: Leash | None
) -> int:
    try:
        if options.check:
            return _check(options, environ)
        if options.processes and leash is None:
            return _supervise(options, environ, arguments)
        return _work(options, environ, leash)
    except InputError as error:
        log.error("%s", error)  # noqa: TRY400 (a person's mistake has no traceback)
        return Exit.REFUSED
    except SickError as error:
        log.error("%s", error)  # noqa: TRY400 (as above)
        return Exit.SICK
    except CloudKonError as error:
        log.error("%s", error)  # noqa: TRY400 (as above)
        return Exit.FAILED


def _check(options: argparse.Namespace, environ: Mapping[str, str]) -> Exit:
    registry = handlers(options.tasks, options.allow)
    findings = []
    for finding in check(registry, _settings(options, environ), SystemClock()):
        sys.stdout.write(f"{finding}\n")
        sys.stdout.flush()  # one by one: native code that crashes is then known by what is missing
        findings.append(finding)
    return Exit.DONE if all(finding.verdict is Verdict.OK for finding in findings) else Exit.FAILED


def _supervise(options: argparse.Namespace, environ: Mapping[str, str], arguments: Sequence[str]) -> int:
    threads = options.threads or max(1, (os.cpu_count() or 1) // options.processes)
    command = [sys.executable, "-m", "ec2_worker", *arguments, "--threads", str(threads)]
    log.info("supervising %d processes of %d slots", options.processes, threads)
    patience_s = _settings(options, environ).drain_s + _LAST_WORDS_S
    return Supervisor(command, Restarts(options.processes), SystemClock(), patience_s).run()


def _work(options: argparse.Namespace, environ: Mapping[str, str], leash: Leash | None) -> Exit:
    if swept := sweep():
        log.info("swept %d folders that tasks of killed workers had left", swept)
    settings = _settings(options, environ)
    cloud = wiring.cloud(wiring.stage_from(environ), settings)
    pictures = PictureSources(environ.get(PICTURE_NETWORKS_VARIABLE, ""), cloud.bucket)
    registry = handlers(options.tasks, options.allow, pictures)
    name, slots = worker_name(), options.threads or os.cpu_count() or 1
    clock = SystemClock()
    endpoint = metadata_endpoint(environ)
    tracer = wiring.tracer(environ, cloud.stage, settings)
    around = Surroundings(
        tasks=cloud.queue(options.source) if options.source else cloud.tasks,
        process=cloud.process,
        dead_letters=cloud.dead_letters,
        ledger=cloud.ledger,
        results=cloud.results,
        clock=clock,
        meter=cloud.meter,
        metadata=None if endpoint is None else Metadata(endpoint, clock),
        shelter=cloud.worker_group,
        tracer=tracer,
        values=cloud.values,
        metrics=wiring.metric_log(environ, cloud.stage, sys.stdout),
    )
    worker = Worker(around, registry, settings, name=name, slots=slots, supervised=leash is not None)

    drain = partial(worker.drain_within, settings.drain_s)
    _stop_by_signals(drain)
    if leash is not None:
        leash.watch(orphaned=partial(drain, "its supervisor is gone"))
    queue = options.source or cloud.names.task_queue
    log.info("worker %s: %d slots on queue %s, tasks %s", name, slots, queue, ", ".join(registry.names))
    try:
        worker.run(options.until_idle)
    finally:
        end_programs()
        tracer.close()
    log.info("worker %s: stopped", name)
    return Exit.REPLACE if leash is not None and worker.stuck_slots else Exit.DONE


def _stop_by_signals(drain: Callable[[str], None]) -> None:
    told: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        if told:
            end_programs()
            os._exit(128 + number)  # what it holds comes back when the leases lapse
        told.append(number)
        log.info("%s: draining; a second one ends this process at once", signal.Signals(number).name)
        drain(f"stopped by {signal.Signals(number).name}")

    listen((signal.SIGTERM, signal.SIGINT), stop)


def _settings(options: argparse.Namespace, environ: Mapping[str, str]) -> Settings:
    given = {"drain_s": options.drain_seconds, "breaker_tasks": options.breaker}
    return Settings.from_environ(environ, **{name: value for name, value in given.items() if value is not None})


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
        metavar="N",
        help="slots: tasks run at a time (default: one a core)",
    )
    parser.add_argument(
        "-p",
        "--processes",
        type=_at_least_one,
        metavar="P",
        help="start P processes of N threads each, and restart those that die (default: this process does the work)",
    )
    parser.add_argument(SUPERVISED, type=int, help=argparse.SUPPRESS)
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
    parser.add_argument(
        "--check",
        action="store_true",
        help="take no task: say whether this machine can be a worker, and exit with 0 or 1",
    )
    parser.add_argument(
        "--breaker",
        type=_count,
        metavar="TASKS",
        help=f"pause a job whose first TASKS tasks all fail; 0: never (default: {Settings().breaker_tasks})",
    )
    return parser


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


if __name__ == "__main__":
    sys.exit(main())
