from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support.worlds.embedded_aws import EmbeddedAws, embedded_aws
from tests.support.worlds.jobs import JobDesk
from tests.support.worlds.workers import WorkerProcess, worker


@pytest.fixture(scope="session")
def embedded_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    """One for all tests that don't mind each other: with IAM policies enforced, the stack and the deployed Lambda."""
    with embedded_aws(tmp_path_factory.mktemp("cloud"), auth=True) as aws:
        yield aws


@pytest.fixture(scope="session")
def desk(embedded_cloud: EmbeddedAws) -> JobDesk:
    return JobDesk(embedded_cloud)


@pytest.fixture(scope="module")
def two_workers(embedded_cloud: EmbeddedAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[WorkerProcess]]:
    """Two workers on the stage's queue, which have to end well when they are told to."""
    folder = tmp_path_factory.mktemp("workers")
    arguments = ("--threads", "2", "--tasks", "tests.support.data.user_tasks")
    with ExitStack() as stack:
        workers = [stack.enter_context(worker(embedded_cloud.environment, folder, *arguments)) for _ in range(2)]
        yield workers
        for each in workers:
            each.terminate()
        assert [each.exit_code() for each in workers] == [0, 0]
