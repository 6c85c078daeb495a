"""One worker with all its threads, over a queue in memory and a ledger in SQLite, whose troubles a test chooses."""

import threading
from collections.abc import Callable
from typing import Any, Self

from cloudkon import task
from cloudkon.backoff import Backoff
from cloudkon.clock import SystemClock
from cloudkon.errors import CloudKonError, UnavailableError
from cloudkon.ledger.fleet import WorkerState, WorkerStatus
from cloudkon.ledger.lease import BundleRow
from cloudkon.local.ledger import SqliteLedger
from cloudkon.settings import Settings
from ec2_worker.lifecycle.imds import Metadata
from tests.support.data.rows import job
from tests.support.waiting import eventually
from tests.support.worlds.worker_world import WorkerWorld

PLENTY = 10**12


class Outage:
    """A ledger, while it does not answer the workers' own words."""

    def __init__(self, ledger: SqliteLedger) -> None:
        self._ledger = ledger
        self.on = False

    def __getattr__(self, verb: str) -> Any:
        return getattr(self._ledger, verb)

    def announce(self, status: WorkerStatus) -> None:
        if self.on:
            raise UnavailableError("The ledger is out, as it was told to be.")
        self._ledger.announce(status)


class Ward:
    """One running worker, its disk, and its ledger."""

    def __init__(self, metadata: Metadata | None = None, **settings: Any) -> None:
        own = Settings(**{"poll_s": 0.05, "retries": 0, "status_s": 0.02} | settings)
        self.world = WorkerWorld(own, self._handler(), clock=SystemClock())
        self.clock, self.tasks, self.ledger = self.world.clock, self.world.tasks, self.world.ledger
        self.outage = Outage(self.ledger)
        self.free_bytes = PLENTY
        self.fails = False
        self.held_up = threading.Event()
        """Tasks wait for it."""
        self.held_up.set()
        self.ran: list[str] = []
        self.ended: list[BaseException | None] = []
        self._sent = 0
        services = self.world.services(lambda name, port: self.outage if name == "ledger" else port, metadata=metadata)
        self.worker = self.world.build(services, "w")
        self.worker.monitor.every_s = 0.01
        if self.worker.termination_watch is not None:
            self.worker.termination_watch.every_s = 0.01
        self.worker.monitor.free_disk_bytes = lambda: self.free_bytes
        self.worker.monitor.health.backoff = Backoff(0.01, 0.02)
        self._thread = threading.Thread(target=self._run)

    def _handler(self) -> Callable[[str], None]:
        @task("tell")
        def tell(line: str) -> None:
            self.ran.append(f"{line} sick" if self.worker.receiver.sick.is_set() else line)
            self.held_up.wait()
            if self.fails:
                raise ValueError("as it was told to")

        return tell

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.held_up.set()
        self.worker.drain()
        self._thread.join()
        self.ledger.close()

    def _run(self) -> None:
        try:
            self.worker.run()
            self.ended.append(None)
        except CloudKonError as error:
            self.ended.append(error)

    def send(self) -> str:
        """A bundle of one task; return what it notes."""
        self._sent += 1
        line = str(self._sent)
        self.world.send(f"tell {line}", number=self._sent)
        return line

    def row(self) -> WorkerStatus:
        """What it said last."""
        return eventually(lambda: [status for status in self.ledger.fleet(0) if status.worker == "w"])[0]

    def becomes(self, state: WorkerState) -> bool:
        return bool(eventually(lambda: [s for s in self.ledger.fleet(0) if s.worker == "w" and s.state is state]))

    def does(self, line: str) -> bool:
        return eventually(lambda: line in self.ran)

    def rows(self) -> dict[str, BundleRow]:
        """The bundles' rows, by the lines that their tasks note."""
        return {str(row.key.number): row for row in self.ledger.bundles(job())}
