"""Pictures in S3."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from cloudkon.errors import UnavailableError
from cloudkon.local.store import FolderStore
from tests.support.worlds.fetching import PICTURE, QUICK, broken, data, fetch


def test_pictures_in_s3_are_read_within_the_same_limits(tmp_path: Path) -> None:
    """Pictures in S3 are read through the worker's own permission, within the same limits."""
    FolderStore(tmp_path / "pics").write("a b?.jpg", PICTURE)
    found = fetch("s3://pics/a b?.jpg", "s3://pics/none.jpg", buckets=lambda bucket: FolderStore(tmp_path / bucket))
    assert data(found[0]) == PICTURE
    assert "does not exist" in broken(found[1]).reason
    small = replace(QUICK, picture_bytes=100)
    found = fetch("s3://pics/a b?.jpg", limits=small, buckets=lambda bucket: FolderStore(tmp_path / bucket))
    assert "larger than 100 bytes" in broken(found[0]).reason


def test_s3_without_an_answer_is_asked_again() -> None:
    """S3 without an answer is asked again; without AWS there is no S3."""

    def down(_: str) -> Any:
        raise UnavailableError("S3 did not answer.")

    found = broken(fetch("s3://pics/a.jpg", buckets=down)[0])
    assert (found.reason, found.temporary) == ("S3 did not answer, 4 times", True)
    assert "no AWS" in broken(fetch("s3://pics/a.jpg")[0]).reason
