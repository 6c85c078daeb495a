"""The rows of the workers, each a write unit: pk "workers", sk the worker's name. The table forgets them by itself."""

from cloudkon.aws.ledger.rows import counts, counts_of, expiry, instance_item, instance_of, key, number, text
from cloudkon.aws.ledger.table import NEW, Item, Table
from cloudkon.ledger.fleet import MEMORY_S, WorkerState, WorkerStatus

_FLEET = "workers"


class DynamoFleet:
    """Implements ports.Fleet."""

    _table: Table

    def announce(self, status: WorkerStatus) -> None:
        seen = {":seen": number(status.seen_ms)}
        self._table.put(_item(status), f"{NEW} OR #seen <= :seen", seen)

    def fleet(self, since_ms: int) -> list[WorkerStatus]:
        # Time to live deletes within days, not minutes, so what is too old may still be there.
        found = [_status(item) for item in self._table.query(_FLEET)]
        return [status for status in found if status.seen_ms >= since_ms]


def _item(status: WorkerStatus) -> dict[str, Item]:
    item: dict[str, Item] = key(_FLEET, status.worker) | {
        "state": text(status.state),
        "slots": number(status.slots),
        "busy": number(status.busy),
        "bundles": number(status.bundles),
        "tasks": number(status.tasks),
        "started": number(status.started_ms),
        "seen": number(status.seen_ms),
        "reason": text(status.reason),
        "failing": counts(status.failing),
        "throttled": counts(status.throttled),
        "expires_at": expiry(status.seen_ms, MEMORY_S),
    }
    return item | instance_item(status.instance)


def _status(item: Item) -> WorkerStatus:
    figures = {name: int(item[name]["N"]) for name in ("slots", "busy", "bundles", "tasks")}
    return WorkerStatus(
        worker=item["sk"]["S"],
        state=WorkerState(item["state"]["S"]),
        **figures,
        started_ms=int(item["started"]["N"]),
        seen_ms=int(item["seen"]["N"]),
        reason=item["reason"]["S"],
        instance=instance_of(item),
        failing=counts_of(item["failing"]),
        throttled=counts_of(item["throttled"]) if "throttled" in item else {},  # a worker of an earlier version
    )
