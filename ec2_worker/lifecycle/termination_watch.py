"""Watches for the end of the instance, and lets the worker drain in the time that is left."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from cloudkon.clock import Clock
from cloudkon.ledger.fleet import Instance
from ec2_worker.lifecycle.imds import Metadata, MetadataError
from ec2_worker.lifecycle.scale_in_protection import Refuge

log = logging.getLogger(__name__)

_MARGIN_S = 5.0
"""How long before the instance ends a worker is done."""


@dataclass(slots=True)
class EndWatch:
    """A thread's work; elsewhere than on EC2 it is over at once."""

    metadata: Metadata
    clock: Clock
    drain_s: float
    drain: Callable[[float, str], None]
    """Takes the time that is left, and why."""
    refuge: Refuge | None = None
    every_s: float = 5.0  # as AWS advises: the notice comes two minutes before the end
    instance: Instance | None = None
    """None until the instance has told, and elsewhere than on EC2."""
    stopping: threading.Event = field(default_factory=threading.Event)
    _scaled_in: bool = False
    _rebalancing: bool = False
    _warned: bool = False

    def run(self) -> None:
        """Look every few seconds until the end is announced, or until told to stop."""
        try:
            self.instance = self.metadata.instance()
        except MetadataError as error:
            log.debug("Not on EC2: %s", error)
            return
        log.info("on %s, %s in %s", self.instance.id, self.instance.type, self.instance.zone)
        if self.refuge is not None:
            self.refuge.enter(self.instance.id)
        while not self.look() and not self.stopping.wait(self.every_s):
            if self.refuge is not None:
                self.refuge.look(self.instance.id)

    def leave(self) -> None:
        """Let the instance end at once, if its group waits for that; of the thread that ends the worker."""
        if self.refuge is not None and self.instance is not None:
            self.refuge.leave(self.instance.id, ending=self._scaled_in)

    def look(self) -> bool:
        """Ask for all notices; True once the instance's end is known."""
        try:
            notice = self.metadata.spot_notice()
            if notice is not None:
                left_s = max(0.0, (notice.at_ms - self.clock.now_ms()) / 1000 - _MARGIN_S)
                log.warning("EC2 is to %s this instance: draining in %.0f s.", notice.action, min(left_s, self.drain_s))
                self.drain(left_s, f"spot interruption: {notice.action}")
                return True
            if self.metadata.is_scaled_in():
                self._scaled_in = True
                log.warning("The group ends this instance: draining in at most %.0f s.", self.drain_s)
                self.drain(self.drain_s, "scale-in")
                return True
            if not self._rebalancing and self.metadata.rebalance_recommended():
                self._rebalancing = True
                log.warning("EC2 recommends to leave this instance, for it may be interrupted soon: draining.")
                self.drain(self.drain_s, "rebalance recommendation")
        except MetadataError as error:
            if not self._warned:
                log.warning("%s Asking again.", error)
            self._warned = True
        return False
