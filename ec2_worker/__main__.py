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
from cloudkon.handlers.context import log_of_task
from cloudkon.handlers.program import end_programs
from cloudkon.handlers.scratch import sweep
from cloudkon.handlers.task_log import capturing
from cloudkon.settings import Settings
from cloudkon.signals import listen
from cloudkon.stage.checkup import Verdict
from ec2_worker import assembly
from ec2_worker.handlers import PICTURE_NETWORKS_VARIABLE, PictureSources, handlers
from ec2_worker.health.health import SickError
from ec2_worker.lifecycle.exits import Exit
from ec2_worker.lifecycle.parent_link import ParentLink
from ec2_worker.lifecycle.patience import patiently
from ec2_worker.lifecycle.restarts import Restarts
from ec2_worker.lifecycle.supervisor import Supervisor
from ec2_worker.options import parser
from ec2_worker.selftest import check
from ec2_worker.services import worker_name

log = logging.getLogger("ec2_worker")

_SHUTDOWN_S = 30.0
"""What a process gets past its drain, for its last calls, before its supervisor ends it."""


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Run a worker until it is idle or told to stop; return the exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    options = parser().parse_args(arguments)
    parent_link = None if options.supervised is None else ParentLink(options.supervised)
    process = " [%(process)d]" if parent_link or options.processes else ""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format=f"%(asctime)s %(levelname)s{process} %(name)s: %(message)s",
        force=True,
    )
    logging.getLogger("botocore").setLevel(logging.WARNING)  # it tells where it found the credentials, at every start
    code = _exit_code(options, environ, arguments, parent_link)
    if parent_link is not None:
        parent_link.announce_clean_exit()
    return code


def _exit_code(
    options: argparse.Namespace, environ: Mapping[str, str], arguments: Sequence[str], parent_link: ParentLink | None
) -> int:
    try:
        if options.check:
            return _check(options, environ)
        if options.processes and parent_link is None:
            return _supervise(options, environ, arguments)
        return _work(options, environ, parent_link)
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
    patience_s = _settings(options, environ).drain_s + _SHUTDOWN_S
    return Supervisor(command, Restarts(options.processes), SystemClock(), patience_s).run()


def _work(options: argparse.Namespace, environ: Mapping[str, str], parent_link: ParentLink | None) -> Exit:
    if swept := sweep():
        log.info("swept %d folders that tasks of killed workers had left", swept)
    settings = _settings(options, environ)
    cloud = wiring.cloud(wiring.stage_from(environ), settings)
    pictures = PictureSources(environ.get(PICTURE_NETWORKS_VARIABLE, ""), cloud.bucket)
    registry = handlers(options.tasks, options.allow, pictures)
    name, slots = worker_name(), options.threads or os.cpu_count() or 1
    clock = SystemClock()
    services = patiently(
        lambda: assembly.aws_services(cloud, environ, settings, clock, options.source, sys.stdout), clock
    )
    supervised = parent_link is not None
    worker = assembly.build(services, registry, settings, name=name, slots=slots, supervised=supervised)

    drain = partial(worker.drain_within, settings.drain_s)
    _stop_by_signals(drain)
    if parent_link is not None:
        parent_link.watch(orphaned=partial(drain, "its supervisor is gone"))
    queue = options.source or cloud.names.task_queue
    log.info("worker %s: %d slots on queue %s, tasks %s", name, slots, queue, ", ".join(registry.names))
    try:
        with capturing(log_of_task):
            worker.run(options.until_idle)
    finally:
        end_programs()
        services.tracer.close()
    log.info("worker %s: stopped", name)
    return Exit.REPLACE if parent_link is not None and worker.stuck_slots else Exit.DONE


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
    keep_logs = 1 if options.keep_logs else None
    given = {"drain_s": options.drain_seconds, "breaker_tasks": options.breaker, "keep_logs": keep_logs}
    return Settings.from_environ(environ, **{name: value for name, value in given.items() if value is not None})


if __name__ == "__main__":
    sys.exit(main())
