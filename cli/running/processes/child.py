"""A worker in a process of its own: everything that it asks of the queue and the ledger goes to its parent."""

import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from cli.running.processes.frames import receive_frame, send_frame
from cli.running.processes.remote_ports import Connections, ParentGoneError, remote_ledger, remote_queue
from cloudkon import wiring
from cloudkon.clock import SystemClock
from cloudkon.errors import CloudKonError
from cloudkon.handlers.context import log_of_task
from cloudkon.handlers.program import end_programs
from cloudkon.handlers.task_log import capturing
from cloudkon.local.store import FolderStore
from cloudkon.settings import Settings
from cloudkon.signals import listen
from ec2_worker import assembly
from ec2_worker.handlers import PictureSources, handlers
from ec2_worker.lifecycle.exits import Exit
from ec2_worker.services import Services
from ec2_worker.worker import Worker

DRAIN, CLEAN_EXIT = b"drain", b"."


@dataclass(frozen=True, slots=True)
class ChildOptions:
    """What a worker's process is told by its parent."""

    path: Sequence[str]
    """Where Python looks for modules: where the parent does."""
    modules: Sequence[str]
    allowed: Sequence[str]
    picture_networks: str
    slots: int
    results: str
    """The folder in which tasks store their files."""
    settings: Mapping[str, Any]

    def encode(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def decode(cls, message: bytes) -> Self:
        return cls(**json.loads(message))


def main() -> None:
    """Work until the parent says drain, or is gone; the arguments are the address of its socket and our name."""
    address, name = sys.argv[1:]
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    try:
        connections = Connections(address, name)
        control = connections.open()
        message = receive_frame(control)
        if message is None:
            return
        code = _work(ChildOptions.decode(message), connections, control, name)
    except ParentGoneError:
        os._exit(Exit.FAILED)  # nobody is there to be told
    except CloudKonError as error:
        sys.exit(f"Error: {error}")
    finally:
        end_programs()
    send_frame(control, CLEAN_EXIT)
    sys.exit(code)


def _work(options: ChildOptions, connections: Connections, control: socket.socket, name: str) -> int:
    sys.path[:] = options.path
    registry = handlers(options.modules, options.allowed, PictureSources(options.picture_networks, files=True))
    settings, clock = Settings(**options.settings), SystemClock()
    services = Services(
        remote_queue(connections, "tasks"),
        remote_queue(connections, "process"),
        remote_queue(connections, "dead_letters"),
        remote_ledger(connections),
        FolderStore(Path(options.results)),
        clock,
        tracer=wiring.tracer(os.environ, "local", settings),
    )
    worker = assembly.build(services, registry, settings, name=name, slots=options.slots, supervised=True)
    listen((signal.SIGTERM,), lambda *_: worker.drain())
    threading.Thread(target=_obey, args=(control, worker), name="parent", daemon=True).start()
    with capturing(log_of_task):
        worker.run()
    services.tracer.close()
    return Exit.REPLACE if worker.stuck_slots else Exit.DONE


def _obey(control: socket.socket, worker: Worker) -> None:
    """Drain when the parent says so, hurry when it says so again, and end at once when it is gone.

    Its queue and its ledger are gone with it, and whoever resumes the run breaks our leases.
    """
    while receive_frame(control) == DRAIN:
        worker.drain()
    end_programs()
    os._exit(Exit.FAILED)


if __name__ == "__main__":
    main()
