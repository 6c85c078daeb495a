"""Protects the instance from scale-in while one of its workers is busy, and releases it once all have drained."""

import logging
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError, UnavailableError
from cloudkon.ports import InstanceGroup
from ec2_worker.lifecycle.shared_lock import SharedLock
from ec2_worker.pipeline.in_flight import InFlight

log = logging.getLogger(__name__)


@dataclass(slots=True)
class ScaleInProtection:
    """What one process does for it. Not thread-safe. The processes of an instance agree by two files."""

    instance_group: InstanceGroup
    clock: Clock
    in_flight: InFlight
    """The instance is protected while this worker has bundles in flight."""
    idle_s: float
    """How long there must be no work before the protection is given up: a short pause is no reason for two calls."""
    folder: Path = field(default_factory=lambda: Path(tempfile.gettempdir()))
    _protected: bool | None = None
    """What this process has last asked for; None before the first time."""
    _idle_since_s: float | None = None
    _alive: SharedLock | None = None
    _working: SharedLock | None = None
    _outside: bool = False
    """Whether the instance is of no group: it then needs no protection."""

    def enter(self, instance: str) -> None:
        """Be one of the workers of the instance, until leave."""
        self._alive = SharedLock(self.folder / f"cloudkon-{instance}.alive")
        self._working = SharedLock(self.folder / f"cloudkon-{instance}.busy")
        with suppress(OSError):  # a full disk: update tries again
            self._alive.hold()

    def update(self, instance: str) -> None:
        """Change the protection if it is due; a group that does not answer is asked at the next update."""
        if self._outside or self._alive is None or self._working is None:
            return
        try:
            self._alive.hold()
            self._update(instance, self._working)
        except (UnavailableError, OSError) as error:
            log.info("%s Asking again.", error)
        except CloudKonError as error:
            log.info("%s This instance comes and goes by other means.", error)
            self._outside = True

    def leave(self, instance: str, *, ending: bool) -> None:
        """Be no worker of it any more, and protect it no longer, unless another worker does.

        If the group is ending the instance, and no other worker is left, it may go.
        """
        if self._alive is None or self._working is None:
            return
        if ending:  # whoever refused the protection may have been about to end the instance
            self._working.close()
            self._let_go(instance, self._alive)
        else:
            self._expose(instance, self._working)
            self._alive.close()

    def _let_go(self, instance: str, alive: SharedLock) -> None:
        try:
            alive.release(lambda: self.instance_group.let_go(instance))
        except (CloudKonError, OSError) as error:
            log.warning("%s It ends when its time is over.", error)

    def _expose(self, instance: str, working: SharedLock) -> None:
        """Leave no protection behind that nobody would give up, not that of a process that was killed here either."""
        try:
            if not self._outside and self._protected is not False:
                working.release(lambda: self.instance_group.protect(instance, on=False))
        except (CloudKonError, OSError) as error:
            log.info("%s If it is protected from scale-in, it stays so.", error)
        finally:
            working.close()

    def _update(self, instance: str, working: SharedLock) -> None:
        now_s = self.clock.monotonic_s()
        if len(self.in_flight):
            self._idle_since_s = None
            if self._protected is not True:
                working.hold()
                self.instance_group.protect(instance, on=True)
                self._protected = True
            return
        if self._idle_since_s is None:
            self._idle_since_s = now_s
        if now_s - self._idle_since_s >= self.idle_s and self._protected is not False:
            working.release(lambda: self.instance_group.protect(instance, on=False))
            self._protected = False
