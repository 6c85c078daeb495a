"""What is known of a stage's machines beside what their workers say: which there are, what they cost, what waits."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cli.jobs.ledgers import Ledgers
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError
from cloudkon.ledger.fleet import WorkerState, WorkerStatus
from cloudkon.stage.machine import Machine

if TYPE_CHECKING:
    from cloudkon.aws.cloud import Cloud


@dataclass(frozen=True, slots=True)
class FleetOverview:
    """Empty where AWS is not asked, or does not tell."""

    silent: Sequence[Machine] = ()
    """Machines of which no worker was heard."""
    usd_an_hour: Mapping[str, float] = field(default_factory=dict)
    """By the machine's id."""
    waiting: int | None = None
    """About how many messages wait on the stage's task queue; None where it is not known."""

    def why_idle(self, status: WorkerStatus) -> str:
        """Why a worker has nothing to do; empty for one that has, or where it is not known."""
        if status.state is not WorkerState.IDLE or self.waiting is None:
            return ""
        return "no task is waiting" if not self.waiting else f"about {self.waiting:,} messages wait: it is receiving"


def read_overview(ledgers: Ledgers, heard_of: Collection[str], clock: Clock) -> FleetOverview:
    """Ask AWS about the stage's machines, if AWS is set up; what it does not tell is left out, with a warning."""
    if ledgers.cloud is None or not ledgers.cloud_is_likely:
        return FleetOverview()
    try:
        cloud = ledgers.cloud().cloud
        return _read(cloud, heard_of, ledgers, clock) if cloud is not None else FleetOverview()
    except CloudKonError as error:
        ledgers.warn(f"The machines are not listed: {error}")
        return FleetOverview()


def _read(cloud: "Cloud", heard_of: Collection[str], ledgers: Ledgers, clock: Clock) -> FleetOverview:
    from cloudkon.aws.machines.scaling import Machines  # noqa: PLC0415 (as everything of AWS: not imported to read a local ledger)

    waiting = cloud.tasks.approximate_depth().visible
    session, names = cloud.session, cloud.names
    machines = Machines(session.autoscaling(), session.ec2(), names, clock).all()
    silent = [machine for machine in machines if machine.id not in heard_of]
    return FleetOverview(silent, _read_prices(cloud, machines, ledgers), waiting)


def _read_prices(cloud: "Cloud", machines: Sequence[Machine], ledgers: Ledgers) -> dict[str, float]:
    from cloudkon.aws.machines.prices import Prices  # noqa: PLC0415 (as above)

    if not machines:
        return {}
    prices = Prices(cloud.session.ec2(), cloud.session.pricing(), cloud.names.region)
    try:
        found = {machine.id: prices.usd_an_hour(machine) for machine in machines}
    except CloudKonError as error:
        ledgers.warn(f"Prices are not shown: {error}")
        return {}
    return {name: usd for name, usd in found.items() if usd is not None}
