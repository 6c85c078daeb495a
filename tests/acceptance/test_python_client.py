"""The Python client on the embedded cloud: the same code as in this process, on a worker of the stage."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudkon import Client, Executor, TaskError
from tests.support.data.client_functions import picky, square
from tests.support.data.user_tasks import fail
from tests.support.worlds.embedded_aws import STAGE, EmbeddedAws
from tests.support.worlds.workers import worker

_NAMES = ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@pytest.fixture(scope="module")
def one_worker(embedded_cloud: EmbeddedAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A worker with a module of marked functions, and one function that it is permitted by name."""
    named = f"{square.__module__}:square"
    arguments = ("--threads", "2", "--tasks", "tests.support.data.user_tasks", "--tasks", named)
    with worker(embedded_cloud.environment, tmp_path_factory.mktemp("worker"), *arguments):
        yield


def test_functions_and_lines_run_on_a_stage(
    embedded_cloud: EmbeddedAws, one_worker: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Values, errors, futures and rejections of a stage are those of this process; what was not named does not run."""
    for name in _NAMES:
        if name in embedded_cloud.environment:
            monkeypatch.setenv(name, embedded_cloud.environment[name])
    with Client(stage=STAGE) as client:
        squares, refused = client.map(square, range(100)), client.map(picky, [1])
        assert list(squares) == [x * x for x in range(100)]
        with pytest.raises(TaskError, match=r"start the worker with --tasks .*:picky"):
            next(refused)
        assert client.job(squares.job.id).stats().tasks.succeeded == 100
        with Executor(client=client) as executor:
            good, bad = executor.submit(square, 7), executor.submit(fail, "so")
            assert good.result(60) == 49
            assert str(bad.exception(60)).startswith("ValueError: so")
