"""A stage is found by its name alone."""

import pytest

from cloudkon.aws.cloud import Cloud
from cloudkon.errors import NotFoundError
from cloudkon.ledger.job import Job, Source
from cloudkon.settings import Settings
from cloudkon.telemetry.metering import Meter
from cloudkon.wiring import cloud
from tests.support.emulators.moto_aws import AwsLab, enter
from tests.support.still_clock import StillClock


@pytest.fixture
def stage(aws: AwsLab, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    enter(monkeypatch, aws.environment)
    return cloud("found", Settings())


def test_what_the_stage_holds_is_reached_through_its_name(aws: AwsLab, stage: Cloud) -> None:
    """Queues, table and buckets answer to the names that the stage's name gives them."""
    clock, names = StillClock(), stage.names
    for queue in (names.task_queue, names.range_queue, names.process_queue, names.dead_letter_queue):
        aws.queue(clock, name=queue)
    aws.ledger(clock, name=names.ledger_table)
    for bucket in (names.workloads_bucket, names.results_bucket):
        aws.store(clock, name=bucket)
    queues = {"tasks": stage.tasks, "ranges": stage.ranges, "process": stage.process, "dead": stage.dead_letters}
    for name, found in queues.items():
        aws.queue(clock, name=found.name).send([name])
        assert [delivery.body for delivery in found.receive(1, 0, 30)] == [name]
    job = Job("j-aaaaaaaaaaaa", Source("b", "k", "v", 1), 1, 1, 1, 1, 1, 1)
    assert stage.ledger.open(job) == job
    for store in (stage.workloads, stage.results):
        store.write("key", b"data")
        assert store.size_bytes("key") == 4


def test_each_part_is_made_once_and_metered_together(stage: Cloud) -> None:
    """Asking again makes no call; all clients turn one meter."""
    assert stage.names is stage.names
    assert stage.workloads is stage.workloads
    assert stage.meter.totals() == {"sts.GetCallerIdentity": 1}
    assert isinstance(stage.meter, Meter)


def test_a_stage_that_is_not_up_is_said_to_be_missing(stage: Cloud) -> None:
    """The queue's name is in the message, and what to look at."""
    with pytest.raises(
        NotFoundError, match=r"There is no queue absent in this account and region\. .* is the stage up"
    ):
        stage.queue("absent")
