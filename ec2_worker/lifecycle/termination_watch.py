"""Asks EC2 whether it is to take the instance away, and drains the worker in the time that is left."""

import logging
from dataclasses import dataclass

from cloudkon.clock import Clock
from cloudkon.ledger.fleet import Instance
from ec2_worker.lifecycle.drain import Drain
from ec2_worker.lifecycle.imds import Metadata, MetadataError
from ec2_worker.lifecycle.scale_in_protection import ScaleInProtection

log = logging.getLogger(__name__)

_MARGIN_S = 5.0
"""How long before the instance ends a worker is done."""


@dataclass(slots=True)
class TerminationWatch:
    """Does nothing more once the end is known, or where there is no instance."""

    metadata: Metadata
    clock: Clock
    drain: Drain
    protection: ScaleInProtection | None = None
    every_s: float = 5.0  # as AWS advises: the notice comes two minutes before the end
    instance: Instance | None = None
    """None until the instance has told, and elsewhere than on EC2."""
    _scaled_in: bool = False
    _rebalancing: bool = False
    _warned: bool = False
    _over: bool = False

    def tick(self) -> None:
        """Find out about the instance at first, then ask again and again until its end is known."""
        if self._over:
            return
        if self.instance is None:
            self._over = not self._find_instance() or self.look()
            return
        if self.protection is not None:
            self.protection.update(self.instance.id)
        self._over = self.look()

    def _find_instance(self) -> bool:
        try:
            self.instance = self.metadata.instance()
        except MetadataError as error:
            log.debug("Not on EC2: %s", error)
            return False
        log.info("on %s, %s in %s", self.instance.id, self.instance.type, self.instance.zone)
        if self.protection is not None:
            self.protection.enter(self.instance.id)
        return True

    def leave(self) -> None:
        """Let the instance end at once, if its group waits for that. Called by the thread that ends the worker."""
        if self.protection is not None and self.instance is not None:
            self.protection.leave(self.instance.id, ending=self._scaled_in)

    def look(self) -> bool:
        """Ask for all notices; True once the instance's end is known."""
        try:
            notice = self.metadata.spot_notice()
            if notice is not None:
                left_s = max(0.0, (notice.at_ms - self.clock.now_ms()) / 1000 - _MARGIN_S)
                log.warning(
                    "EC2 is to %s this instance: draining in %.0f s.", notice.action, min(left_s, self.drain.most_s)
                )
                self.drain.within(left_s, f"spot interruption: {notice.action}")
                return True
            wanted = self.metadata.target_state()
            if wanted == "Terminated":
                self._scaled_in = True
                log.warning("The group ends this instance: draining in at most %.0f s.", self.drain.most_s)
                self.drain.within(self.drain.most_s, "scale-in")
                return True
            # A group that rebalances starts another first, and then ends this one, which is told above. Where no other
            # is to be had, this one works on: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-capacity-rebalancing.html
            if wanted is None and not self._rebalancing and self.metadata.rebalance_recommended():
                self._rebalancing = True
                log.warning("EC2 recommends to leave this instance, for it may be interrupted soon: draining.")
                self.drain.within(self.drain.most_s, "rebalance recommendation")
        except MetadataError as error:
            if not self._warned:
                log.warning("%s Asking again.", error)
            self._warned = True
        return False
