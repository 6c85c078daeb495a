"""What happens to bundles on their way, for those who watch: the estimate of work, health, metrics, counters."""

from contextlib import AbstractContextManager
from typing import Protocol

from cloudkon.ledger.lease import BundleRow
from ec2_worker.pipeline.in_flight import InFlightBundle


class WorkerEvents(Protocol):
    """Told from any thread, at the moment it happens. No method raises, and none changes what becomes of a bundle."""

    def bundle_claimed(self, job: str) -> None: ...

    def duplicate_dropped(self, job: str) -> None:
        """A copy of a bundle that is done, or that another worker holds."""
        ...

    def slot_running(self, job: str) -> AbstractContextManager[None]:
        """Within it, a slot runs what it takes of a bundle."""
        ...

    def task_failed(self, job: str) -> None:
        """A task failed, or was rejected, and is not tried again."""
        ...

    def bundle_ended(self, bundle: InFlightBundle) -> None:
        """All its tasks have a result; none of them need be recorded yet."""
        ...

    def bundle_completed(self, row: BundleRow) -> None:
        """The ledger has all its results."""
        ...

    def bundle_settled(self, job: str) -> None:
        """Its completion record is forwarded, its message deleted."""
        ...

    def lease_lost(self, bundle: InFlightBundle) -> None:
        """Another worker has taken over."""
        ...
