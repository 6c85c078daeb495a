"""The queues: what can't be handled is kept, what is handled is hidden for long enough, and nothing lies dead."""

import json
from collections.abc import Iterator

from cloudkon.aws.checkups.subject import Subject
from cloudkon.aws.errors import translated
from cloudkon.aws.queue import queue_url
from cloudkon.errors import NotFoundError
from cloudkon.settings import MANY_IN_FLIGHT, MAX_IN_FLIGHT, QUEUE_RETENTION_DAYS
from cloudkon.stage.checkup import CheckResult, ok, problem


def check_queues(subject: Subject) -> Iterator[CheckResult]:
    names = subject.names
    for name in (
        names.task_queue,
        names.range_queue,
        names.process_queue,
        names.parked_queue,
        names.dead_letter_queue,
    ):
        try:
            attributes = _attributes(subject, name)
        except NotFoundError:
            yield problem(
                "queue", f"There is no queue {name}.", f"cloudkon-cli stack up --repair --stage {names.stage}"
            )
            continue
        yield from _kept(subject, name, attributes)
        if name in (names.task_queue, names.range_queue):
            yield _wired(subject, name, attributes)
        if name == names.task_queue:
            yield _visibility(subject, name, attributes)
            yield _in_flight(name, attributes)
        if name == names.parked_queue:
            yield _parked(attributes)
        if name == names.dead_letter_queue:
            yield _dead(attributes)


def _attributes(subject: Subject, name: str) -> dict[str, str]:
    client = subject.session.sqs()
    url = queue_url(client, name)
    with translated(f"describe the queue {name}"):
        found = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"]).get("Attributes", {})
    return {str(key): value for key, value in found.items()}


def _kept(subject: Subject, name: str, attributes: dict[str, str]) -> Iterator[CheckResult]:
    days = int(attributes.get("MessageRetentionPeriod", 0)) / 86_400
    if days < QUEUE_RETENTION_DAYS:
        yield problem(
            "queue",
            f"{name} forgets messages after {days:g} days; work may wait for longer than that.",
            f"cloudkon-cli stack up --repair --stage {subject.names.stage}",
        )


def _wired(subject: Subject, name: str, attributes: dict[str, str]) -> CheckResult:
    try:
        redrive = json.loads(attributes.get("RedrivePolicy", "{}"))
    except ValueError:
        redrive = {}
    target = str(redrive.get("deadLetterTargetArn", "")).rsplit(":", 1)[-1]
    if target != subject.names.dead_letter_queue:
        return problem(
            "dead letters",
            f"What nobody can handle is not moved from {name} to {subject.names.dead_letter_queue}.",
            f"cloudkon-cli stack up --repair --stage {subject.names.stage}",
        )
    return ok("dead letters", f"{name} gives up on a message after {redrive.get('maxReceiveCount')} receives")


def _visibility(subject: Subject, name: str, attributes: dict[str, str]) -> CheckResult:
    hidden_s, lease_s = int(attributes.get("VisibilityTimeout", 0)), subject.settings.lease_s
    if hidden_s <= lease_s:
        return problem(
            "visibility",
            f"{name} hides a message for {hidden_s} s, less than a lease of {lease_s:g} s: what is leased comes back.",
            "Keep CLOUDKON_LEASE_S below it on every worker, or raise VisibilityTimeout in infrastructure/stack.yaml.",
        )
    return ok(
        "visibility", f"{hidden_s} s, longer than a lease ({lease_s:g} s); workers set their own with each receive"
    )


def _in_flight(name: str, attributes: dict[str, str]) -> CheckResult:
    in_flight = int(attributes.get("ApproximateNumberOfMessagesNotVisible", 0))
    says = f"about {in_flight:,} messages of {name}, of {MAX_IN_FLIGHT:,} that SQS allows"
    if in_flight >= MANY_IN_FLIGHT:
        return problem("in flight", f"In flight are {says}: beyond, nobody receives any.", "cloudkon-cli status")
    return ok("in flight", says)


def _parked(attributes: dict[str, str]) -> CheckResult:
    parked = int(attributes.get("ApproximateNumberOfMessages", 0))
    return ok("parked", f"about {parked:,} messages of paused jobs" if parked else "no messages of paused jobs")


def _dead(attributes: dict[str, str]) -> CheckResult:
    dead = int(attributes.get("ApproximateNumberOfMessages", 0))
    if dead:
        return problem(
            "dead letters", f"About {dead:,} messages lie in the dead-letter queue.", "cloudkon-cli dead list"
        )
    return ok("dead letters", "none seem to be waiting")
