"""Finds what a job's tasks have left in the results bucket or folder without a result that names it.

Each run of a task writes under keys of its own, <root>/<job>/<bundle>/<attempt>/<place in the bundle>. A run that died,
failed or was fenced off leaves its files there; only the ledger knows which runs' results stand.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import assert_never

from cloudkon.ledger.job import Job
from cloudkon.ledger.lease import BundleRow, BundleState
from cloudkon.ledger.results import TaskState
from cloudkon.ports import History, Inventory, StoredObject, UnfinishedUpload

_ROOTS = ("outputs", "values")
_PLACE = re.compile(r"(?P<bundle>[^/]+)/(?P<attempt>[0-9]+)/(?P<index>[0-9]+)(?:/|\.json$)")


class Why(StrEnum):
    """Which run has left an orphan."""

    REPLACED = "replaced"  # a run that died or was fenced off: the result of another one stands
    FAILED = "failed"  # the run whose failure is its task's result
    UNFINISHED = "unfinished"  # a run that died, or could not abort, while it uploaded


@dataclass(frozen=True, slots=True)
class Orphan:
    """An object, or an upload that was never finished, that nothing leads to."""

    what: StoredObject | UnfinishedUpload
    why: Why

    def is_ripe(self, now_ms: int, lease_ms: int) -> bool:
        """Whether it is older than a lease: whoever wrote it has been told since that nobody waits for it."""
        return self.what.since_ms + lease_ms < now_ms


def orphans(history: History, inventory: Inventory, job: Job) -> Iterator[Orphan]:
    """Yield the orphans of a job, at any time of its life.

    What the ledger does not know is none: a bundle's row may have been forgotten, or a claim may be younger than what
    was read of it. What the holder of a lease has written is none either, for its result may name it yet.
    """
    # The rows before the objects: a run that an object tells of, and its row does not, is then a younger one.
    known = {row.key.id: _Runs.of(row) for row in history.bundles(job)}
    for root in _ROOTS:
        prefix = f"{root}/{job.id}/"
        found: Iterator[StoredObject | UnfinishedUpload] = chain(
            inventory.objects(prefix), inventory.unfinished(prefix)
        )
        for what in found:
            match = _PLACE.match(what.key.removeprefix(prefix))
            runs = known.get(match["bundle"]) if match else None
            if match is not None and runs is not None:
                why = runs.why(what, int(match["attempt"]), int(match["index"]))
                if why is not None:
                    yield Orphan(what, why)


@dataclass(frozen=True, slots=True)
class _Runs:
    """What a bundle's row tells of its tasks' runs, which are told apart by attempt and place."""

    ended: int
    """Attempts up to this number record nothing any more."""
    failed: frozenset[tuple[int, int]]
    named: frozenset[tuple[int, int]]
    """The runs whose results name an output."""

    @classmethod
    def of(cls, row: BundleRow) -> "_Runs":
        runs = [(result, (result.attempt, index)) for index, result in enumerate(row.results) if result is not None]
        return cls(
            ended=row.attempt - 1 if row.state is BundleState.LEASED else row.attempt,
            failed=frozenset(run for result, run in runs if result.state is TaskState.FAILED),
            named=frozenset(run for result, run in runs if result.output is not None),
        )

    def why(self, what: StoredObject | UnfinishedUpload, attempt: int, index: int) -> Why | None:
        """Which run has left it; None if it is no orphan."""
        run = attempt, index
        match what:
            case _ if attempt > self.ended:
                return None
            case UnfinishedUpload():
                return Why.UNFINISHED
            case StoredObject():
                return None if run in self.named else Why.FAILED if run in self.failed else Why.REPLACED
            case _:
                assert_never(what)
