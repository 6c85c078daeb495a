"""A worker in this process, with the threads that bring it bundles and take their completions."""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

from cloudkon.client.local.local_world import LocalWorld
from cloudkon.client.local.output_capture import keeping_logs
from cloudkon.handlers.program import end_programs
from cloudkon.handlers.registry import Registry
from cloudkon.ledger.job import Job
from cloudkon.local.bounded import ClosedError
from cloudkon.messages.finished import FinishedBundle
from cloudkon.settings import Settings
from dispatcher.dispatch import Dispatcher
from ec2_worker import assembly
from ec2_worker.services import worker_name

_POLL_S = 0.05
"""How late its end is noticed."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a worker tells its owner; each is called by one of its threads."""

    completed: Callable[[FinishedBundle], None]
    """A bundle is done; it may be told more than once."""
    not_sent: Callable[[Job, BaseException], None]
    """A job could not be dispatched to its end."""
    ticked: Callable[[], None]
    """Some time has passed."""
    ended: Callable[[BaseException | None], None]
    """The worker has ended, as it was asked to, or by what is passed."""


class LocalWorker:
    """Works from its making until it is drained."""

    def __init__(self, world: LocalWorld, registry: Registry, settings: Settings, slots: int, told: Told) -> None:
        self.world = world
        self.is_ending = False
        """Once it is set, nothing is sent any more. Its owner's lock guards it."""
        self._worker = assembly.build(world.services(), registry, settings, name=worker_name(), slots=slots)
        self._told = told
        self._is_stopped = False
        self._to_send: queue.SimpleQueue[tuple[Dispatcher, Job] | None] = queue.SimpleQueue()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cloudkon-local", daemon=True)
        self._thread.start()

    def send(self, dispatcher: Dispatcher, job: Job) -> None:
        """Dispatch a job when those before it have been."""
        self._to_send.put((dispatcher, job))

    def drain(self) -> None:
        """End as soon as nothing that was begun is left."""
        self.is_ending = True
        self._to_send.put(None)
        self._worker.drain()

    def stop(self) -> None:
        """End with the tasks that run now; programs that they have started are ended after the drain's time."""
        self._is_stopped = True
        self.world.tasks.close()
        self.drain()

    def still_runs(self, job_id: str) -> bool:
        """Whether tasks of a job are running that was cancelled or paused; what it reads of the job is read anew."""
        self._worker.admission.forget(job_id)
        return any(bundle.lease.key.job == job_id for bundle in self._worker.in_flight.all())

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        failure = None
        helpers = [
            threading.Thread(target=act, name=name, daemon=True)
            for name, act in (("cloudkon-send", self._send), ("cloudkon-completions", self._take))
        ]
        for helper in helpers:
            helper.start()
        try:
            with keeping_logs():
                self._worker.run()
        except BaseException as error:  # noqa: BLE001 (the jobs' callers are told)
            failure = error
        self.is_ending = True
        self._over.set()
        self.world.tasks.close()
        self._to_send.put(None)
        for helper in helpers:
            helper.join()
        if self._is_stopped:
            end_programs()
        self._told.ended(failure)

    def _send(self) -> None:
        while (next_ := self._to_send.get()) is not None:
            dispatcher, job = next_
            try:
                dispatcher.dispatch(job, resend=True)
            except ClosedError:
                return  # stopped: what was not sent is sent when the job is resumed
            except BaseException as error:  # noqa: BLE001 (as above)
                self._told.not_sent(job, error)

    def _take(self) -> None:
        over = found = False
        while not over or found:
            over, found = self._over.is_set(), False
            for bundle in self.world.ended.receive(0.0 if over else _POLL_S):
                found = True
                self._told.completed(bundle)
            self._told.ticked()
