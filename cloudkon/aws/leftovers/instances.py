"""Instances of the stage that work for nobody: failed builds, stopped ones, and workers outside their group."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cloudkon.aws.checkups.subject import Subject
from cloudkon.aws.errors import translated
from cloudkon.aws.ledger.dynamodb import DynamoLedger
from cloudkon.aws.machines.instances import described
from cloudkon.aws.tags import of_stage, tags_of
from cloudkon.clock import epoch_ms
from cloudkon.errors import NotFoundError
from cloudkon.ledger.fleet import WorkerStatus
from cloudkon.stage.leftovers import HOUR_MS, Kind, Leftover, SeenInstance, why_instance
from cloudkon.stage.names import BUILD_TAG

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import InstanceTypeDef

_WHEN = re.compile(r"\((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) GMT\)")
"""As in "User initiated (2025-11-22 18:41:53 GMT)"."""


def find_instances(subject: Subject) -> Iterator[Leftover]:
    """Whom they work for is asked before anything is called left over; raises where that can't be."""
    found = described(subject.session.ec2(), of_stage(subject.names))
    if not found:
        return
    grouped, workers, now_ms = _grouped(subject), _heard_of(subject), subject.clock.now_ms()
    for each in found:
        seen = SeenInstance(
            state=each["State"]["Name"],
            launched_ms=epoch_ms(each["LaunchTime"]),
            stopped_ms=_stopped_ms(each),
            builds=BUILD_TAG in tags_of(each),
            grouped=each["InstanceId"] in grouped,
            reports=any(_is_on(worker, each) for worker in workers),
        )
        if why := why_instance(seen, now_ms):
            kind = each.get("InstanceType", "")
            yield Leftover(
                Kind.INSTANCE,
                each["InstanceId"],
                f"{kind}: {why}" if kind else why,
                seen.launched_ms if seen.stopped_ms is None else seen.stopped_ms,
            )


def remove_instance(subject: Subject, leftover: Leftover) -> None:
    with translated(f"terminate {leftover.id}"):
        subject.session.ec2().terminate_instances(InstanceIds=[leftover.id])


def _grouped(subject: Subject) -> frozenset[str]:
    """The instances that are in any auto scaling group."""
    with translated("list the instances of auto scaling groups"):
        pages = subject.session.autoscaling().get_paginator("describe_auto_scaling_instances").paginate()
        return frozenset(each["InstanceId"] for page in pages for each in page["AutoScalingInstances"])


def _heard_of(subject: Subject) -> Sequence[WorkerStatus]:
    """The workers that said something within the last hour, as far as the ledger remembers; none without a ledger."""
    settings = subject.settings
    ledger = DynamoLedger(
        subject.session.dynamodb(),
        subject.names.ledger_table,
        guard_ms=settings.guard_ms,
        retention_s=settings.retention_s,
        clock=subject.clock,
    )
    try:
        return ledger.fleet(subject.clock.now_ms() - HOUR_MS)
    except NotFoundError:
        return ()


def _is_on(worker: WorkerStatus, instance: "InstanceTypeDef") -> bool:
    """A worker that may not ask its machine who it is still bears the machine's name."""
    if worker.instance is not None:
        return worker.instance.id == instance["InstanceId"]
    return worker.worker.startswith(f"{instance.get('PrivateDnsName', '').partition('.')[0]}-")


def _stopped_ms(instance: "InstanceTypeDef") -> int | None:
    match = _WHEN.search(instance.get("StateTransitionReason", ""))
    return epoch_ms(datetime.fromisoformat(match[1]).replace(tzinfo=UTC)) if match else None
