"""A world whose jobs are dispatched and traced, and whose tasks have stages and leave files."""

from pathlib import Path

from cloudkon.backoff import Backoff
from cloudkon.handlers.context import context
from cloudkon.handlers.registry import Permanent, task
from cloudkon.ledger.job import Job, Source
from cloudkon.local.store import FolderStore
from cloudkon.ports import Tracer
from cloudkon.settings import Settings
from dispatcher.dispatch import Dispatcher
from tests.support.worlds.worker_world import EMPTY, SteppedWorker, WorkerWorld


class TracedWorld(WorkerWorld):
    """Its folder holds the workloads and the results."""

    def __init__(self, tracer: Tracer, folder: Path) -> None:
        super().__init__(Settings(), store=FolderStore(folder))
        self.tracer = tracer
        self.dispatcher = Dispatcher(
            self.store, self.store, self.ledger, self.tasks, self.clock, slots=1, backoff=Backoff(0.0), tracer=tracer
        )

    def drop(self, text: str, key: str = "tasks.txt") -> Job:
        """Dispatch a workload."""
        self.store.write(key, text.encode())
        job = self.dispatcher.open(Source("workloads", key, "v1", self.clock.now_ms(), pinned=False))
        self.dispatcher.dispatch(job)
        return job

    def machine(self, name: str = "w1") -> SteppedWorker:
        """A worker whose tasks take time of the world's clock."""

        @task("make")
        def make(seconds: str) -> None:
            with context().stage("render"):
                self.clock.advance(float(seconds))
            context().store("video.mp4", b"x")

        @task("break")
        def break_() -> None:
            raise Permanent("it is broken")

        self.handlers = [make, break_]
        return SteppedWorker(self, name)

    def run(self) -> None:
        """Let one worker do all there is."""
        worker = self.machine()
        while self.tasks.depth() != EMPTY:
            worker.step()
