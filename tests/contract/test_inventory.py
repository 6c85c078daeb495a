"""What every Inventory answers."""

import time
from pathlib import Path

import pytest

from cloudkon.aws.store import S3Store
from cloudkon.ports import ResultStore, StoredObject


@pytest.fixture
def half_uploaded(store: ResultStore, tmp_path: Path) -> str:
    """The id of an upload whose writer has died, as each kind of store shows it."""
    if isinstance(store, S3Store):
        bucket, key = store.bucket, "half/video.mp4"
        upload = store._client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        store._client.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=b"x" * 100)
        return upload
    part = tmp_path / "half" / f".{'0' * 32}.part"
    part.parent.mkdir()
    part.write_bytes(b"x" * 100)
    return part.relative_to(tmp_path).as_posix()


def keys(store: ResultStore, prefix: str) -> list[str]:
    return [found.key for found in store.objects(prefix)]


def test_objects_are_listed_below_a_prefix(store: ResultStore) -> None:
    """Each object below the prefix is listed by its key, with its size and its time; no other is."""
    began_ms = time.time() * 1000
    for key, size in {"out/a/2/x": 2, "out/a/1/größe 🚀": 1, "out/ab/3": 3, "other/a/4": 4}.items():
        store.write(key, bytes(size))
    found = sorted(store.objects("out/a/"), key=lambda one: one.key)
    assert [(one.key, one.size_bytes) for one in found] == [("out/a/1/größe 🚀", 1), ("out/a/2/x", 2)]
    assert all(abs(one.since_ms - began_ms) < 60_000 for one in found)
    assert keys(store, "out/none/") == []


def test_what_is_removed_is_gone(store: ResultStore) -> None:
    """Removing deletes the objects that are named, missing ones too, and no others."""
    for name in ("a", "b", "c"):
        store.write(f"gone/{name}", b"x")
    gone = [found for found in store.objects("gone/") if found.key != "gone/b"]
    assert store.remove([*gone, StoredObject("gone/never", 1, 0)]) == []
    assert keys(store, "gone/") == ["gone/b"]
    assert store.remove([*gone]) == []
    assert store.remove([]) == []


def test_unfinished_uploads_are_listed_and_removed(store: ResultStore, half_uploaded: str) -> None:
    """What was half sent is no object, is listed below its prefix, and is gone once it is removed, also twice."""
    assert list(store.objects("half/")) == []
    assert list(store.unfinished("other/")) == []
    [upload] = store.unfinished("half/")
    assert upload.id == half_uploaded
    assert upload.since_ms < time.time() * 1000 + 60_000  # moto begins all of them in 2010
    assert store.remove([upload]) == []
    assert store.remove([upload]) == []
    assert list(store.unfinished("half/")) == []


def test_many_are_removed_at_once(store: ResultStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """More objects than one request deletes are all removed."""
    monkeypatch.setattr("cloudkon.aws.store._MAX_DELETED", 2)
    for number in range(5):
        store.write(f"many/{number}", b"")
    found = list(store.objects("many/"))
    assert len(found) == 5
    assert store.remove(found) == []
    assert keys(store, "many/") == []
