"""Ends the bundles in flight of cancelled jobs: tasks that run are finished and recorded, the others not begun."""

from dataclasses import dataclass, field
from functools import partial

from cloudkon.backoff import attempt
from cloudkon.errors import UnavailableError
from cloudkon.ledger.results import TaskResult
from ec2_worker.pipeline.admission import Admission
from ec2_worker.pipeline.heartbeat import Heartbeat
from ec2_worker.pipeline.in_flight import InFlight, InFlightBundle, InFlightState


@dataclass(slots=True)
class Canceller:
    """Gives bundles back once the tasks that were begun have ended; admission then deletes their messages."""

    admission: Admission
    in_flight: InFlight
    heartbeat: Heartbeat
    every_s: float
    stopped: dict[InFlightBundle, frozenset[int]] = field(default_factory=dict)
    """The bundles of cancelled jobs, and which of their tasks will not be begun."""

    def tick(self) -> None:
        while not self.in_flight.stopped.empty():
            self.stopped.setdefault(*self.in_flight.stopped.get())
        for bundle in self.in_flight.all():
            if bundle not in self.stopped and bundle.state is InFlightState.RUNNING and self._is_cancelled(bundle):
                # Emptying the iterator is one step of the interpreter: each task is either begun or taken away.
                self.stopped[bundle] = frozenset(bundle.remaining)
        for bundle, unbegun in list(self.stopped.items()):
            if bundle.state is not InFlightState.RUNNING:
                del self.stopped[bundle]
            elif unbegun and _begun_have_ended(bundle, unbegun):
                attempt(partial(self.heartbeat.give_back, bundle), bundle.lease.key)

    def _is_cancelled(self, bundle: InFlightBundle) -> bool:
        try:
            job = self.admission.job(bundle.lease.key.job)
        except UnavailableError:
            return False  # it is asked again
        return job is not None and job.cancelled_ms is not None


def _begun_have_ended(bundle: InFlightBundle, unbegun: frozenset[int]) -> bool:
    return all(_has_ended(bundle, result) for index, result in enumerate(bundle.results) if index not in unbegun)


def _has_ended(bundle: InFlightBundle, result: TaskResult | None) -> bool:
    """Whether this is the result of a task's run in this claim, or one that will not be run again."""
    return result is not None and (result.is_final or result.attempt == bundle.lease.attempt)
