"""How a workload's place is named to a person."""

from dataclasses import replace

import pytest

from cli.system.paths import source_text
from cloudkon.ledger.job import LOCAL_BUCKET, Source
from tests.support.data.rows import job


@pytest.mark.parametrize(
    ("bucket", "key", "text"),
    [
        (LOCAL_BUCKET, "/home/me/tasks.txt", "/home/me/tasks.txt"),
        (LOCAL_BUCKET, "/home/me/ledger.results/stdin/205a597e0e274503/stdin.txt", "standard input"),
        (LOCAL_BUCKET, "/home/me/ledger.results/stdin/205a597e0e274503/fifo", "fifo"),
        (LOCAL_BUCKET, "/home/me/stdin/stdin.txt", "/home/me/stdin/stdin.txt"),
        ("b", "night/tasks.txt", "s3://b/night/tasks.txt"),
    ],
)
def test_a_workload_is_named_as_its_owner_would(bucket: str, key: str, text: str) -> None:
    """A file by its path, an object by its address, and what came through a pipe not by the file that keeps it."""
    assert source_text(replace(job(), source=Source(bucket, key, "v", 0))) == text
