"""What only S3 does: versions, ranges that it refuses, and streams that break."""

import io
import random
from pathlib import Path
from typing import Any, cast

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.response import StreamingBody

from cloudkon.aws import multipart
from cloudkon.aws import store as store_module
from cloudkon.aws.multipart import MULTIPART_ABOVE_BYTES
from cloudkon.aws.session import Session
from cloudkon.aws.store import S3Store
from cloudkon.errors import CloudKonError, InputError, NotFoundError, UnavailableError
from tests.support.emulators.moto_aws import AwsLab, credentials, enter
from tests.support.still_clock import StillClock


@pytest.fixture(scope="module")
def store(aws: AwsLab) -> S3Store:
    return aws.store(StillClock())


def whole(store: S3Store, key: str, version: str | None = None, start: int = 0) -> bytes:
    return b"".join(store.read(key, version, start))


def test_a_version_is_read_as_it_was(store: S3Store, tmp_path: Path) -> None:
    """An upload names its version; what is written over it changes nothing for who reads that version."""
    file = tmp_path / "tasks.txt"
    file.write_bytes(b"first")
    version = store.upload("pinned", file)
    store.write("pinned", b"second one")
    assert whole(store, "pinned", version) == b"first"
    assert whole(store, "pinned") == b"second one"
    assert store.size_bytes("pinned", version) == 5
    assert store.size_bytes("pinned") == 10


@pytest.mark.parametrize("size_bytes", [4, MULTIPART_ABOVE_BYTES + 1])
def test_a_bucket_without_versions_names_none(aws: AwsLab, tmp_path: Path, size_bytes: int) -> None:
    """Whoever submits has to know that there is no version to pin."""
    file = tmp_path / "tasks.txt"
    file.write_bytes(bytes(size_bytes))
    plain = aws.store(StillClock(), versioned=False)
    assert not plain.is_versioned()
    assert plain.upload("key", file) is None


class Parts:
    """A client that notes what is asked of it, and fails at one of the parts."""

    def __init__(self, store: S3Store, broken_part: int | None = None) -> None:
        self._client: Any = store._client
        self._broken_part = broken_part
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def ask(**asked: Any) -> Any:
            self.asked.append(name)
            if self._broken_part is not None and asked.get("PartNumber") == self._broken_part:
                raise EndpointConnectionError(endpoint_url="https://s3")
            return getattr(self._client, name)(**asked)

        return ask


def test_what_is_large_goes_in_parts(store: S3Store, tmp_path: Path) -> None:
    """A file larger than two parts is put together from its parts, and gets its version; a smaller one goes whole."""
    file, client = tmp_path / "video.mp4", Parts(store)
    sending = S3Store(cast("Any", client), store.bucket, StillClock())
    data = random.Random(4).randbytes(MULTIPART_ABOVE_BYTES + 1)
    file.write_bytes(data[:-1])
    sending.upload("large", file)
    assert client.asked == ["put_object"]
    file.write_bytes(data)
    version = sending.upload("large", file)
    assert sorted(client.asked[1:]) == [
        "complete_multipart_upload", "create_multipart_upload", "upload_part", "upload_part", "upload_part"
    ]  # fmt: skip
    assert version == store._client.head_object(Bucket=store.bucket, Key="large")["VersionId"]
    assert whole(store, "large", version) == data


def test_a_part_that_fails_leaves_nothing(store: S3Store, tmp_path: Path) -> None:
    """An upload whose part can't be sent is aborted: no object, and no parts that are paid for."""
    file = tmp_path / "video.mp4"
    file.write_bytes(bytes(MULTIPART_ABOVE_BYTES + 1))
    client = Parts(store, broken_part=2)
    with pytest.raises(UnavailableError, match="Could not write s3://"):
        S3Store(cast("Any", client), store.bucket, StillClock()).upload("half", file)
    assert client.asked[-1] == "abort_multipart_upload"
    assert "Uploads" not in store._client.list_multipart_uploads(Bucket=store.bucket)
    with pytest.raises(NotFoundError):
        store.size_bytes("half")


def test_what_has_too_many_parts_is_refused(store: S3Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What has more bytes than S3 takes parts is refused, and nothing of it is kept."""
    file = tmp_path / "endless"
    file.write_bytes(b"eleven bytes")
    monkeypatch.setattr(multipart, "_MAX_PARTS", 2)
    monkeypatch.setattr(multipart, "PART_BYTES", 5)
    monkeypatch.setattr(store_module, "MULTIPART_ABOVE_BYTES", 5)
    with pytest.raises(InputError, match="larger than 480 GB"):
        store.upload("endless", file)
    assert "Uploads" not in store._client.list_multipart_uploads(Bucket=store.bucket)


@pytest.mark.parametrize(("data", "start"), [(b"", 0), (b"", 3), (b"abc", 3), (b"abc", 9)])
def test_nothing_is_read_from_the_end_on(store: S3Store, data: bytes, start: int) -> None:
    """S3 refuses such a range; to a reader it is the end."""
    store.write("short", data)
    assert whole(store, "short", start=start) == b""


def test_what_is_missing_is_named(aws: AwsLab, store: S3Store) -> None:
    """A missing object or bucket is NotFoundError, in one line with its address."""
    elsewhere = S3Store(aws.s3, "no-such-bucket", StillClock())
    for ask in (
        store.size_bytes,
        lambda key: whole(store, key),
        elsewhere.size_bytes,
        lambda key: whole(elsewhere, key),
    ):
        with pytest.raises(NotFoundError, match=r"s3://[a-z0-9-]+/absent: it does not exist"):
            ask("absent")


def test_links_are_signed_in_the_new_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """In every region, us-east-1 too, a link is of Signature Version 4 and says how long it opens."""
    enter(monkeypatch, credentials() | {"AWS_DEFAULT_REGION": "us-east-1"})
    link = S3Store(Session().s3(), "cloudkon-videos", StillClock()).link("a b/video.mp4", 3600)
    assert link.startswith("https://cloudkon-videos.s3")
    assert "/a%20b/video.mp4?X-Amz-Algorithm=AWS4-HMAC-SHA256&" in link
    assert "X-Amz-Expires=3600" in link


class BreakingClient:
    """Answers GetObject, and breaks each stream after a few bytes."""

    def __init__(self, data: bytes, whole_after: int, bytes_each: int = 3, *, heeds_ranges: bool = True) -> None:
        self.data, self.whole_after, self.bytes_each, self.heeds_ranges = data, whole_after, bytes_each, heeds_ranges
        self.asked: list[dict[str, Any]] = []

    def get_object(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        ranged = self.heeds_ranges and "Range" in asked
        rest = self.data[int(asked["Range"][6:-1]) :] if ranged else self.data
        sent = rest if len(self.asked) > self.whole_after else rest[: self.bytes_each]
        body = StreamingBody(io.BytesIO(sent), len(rest))
        said = {"ContentRange": f"bytes {asked['Range'][6:]}"} if ranged else {}
        return {"ContentLength": len(rest), "ETag": '"e1"', "Body": body, **said}


def test_a_broken_stream_goes_on_where_it_broke() -> None:
    """Each byte comes once, after a pause, and only from the same content."""
    clock, client = StillClock(), BreakingClient(b"0123456789", whole_after=2)
    store = S3Store(cast("Any", client), "bucket", clock)
    assert whole(store, "key", "v1") == b"0123456789"
    pin = {"Bucket": "bucket", "Key": "key", "VersionId": "v1"}
    assert client.asked == [
        pin,
        {**pin, "IfMatch": '"e1"', "Range": "bytes=3-"},
        {**pin, "IfMatch": '"e1"', "Range": "bytes=6-"},
    ]
    assert len(clock.slept) == 2


@pytest.mark.parametrize("start", [0, 1, 9, 10, 11])
def test_a_store_may_answer_with_all_of_it(start: int) -> None:
    """Who does not heed a range begins at the beginning, and what comes before the offset is left out."""
    client = BreakingClient(b"0123456789", whole_after=1, bytes_each=4, heeds_ranges=False)
    assert whole(S3Store(cast("Any", client), "bucket", StillClock()), "key", start=start) == b"0123456789"[start:]


def test_a_stream_that_keeps_breaking_is_given_up() -> None:
    """After a few breaks without a byte in between it is an error that may pass."""
    clock, client = StillClock(), BreakingClient(b"0123456789", whole_after=99, bytes_each=0)
    with pytest.raises(UnavailableError, match="Could not read s3://bucket/key"):
        whole(S3Store(cast("Any", client), "bucket", clock), "key")
    assert len(client.asked) == len(clock.slept) + 1 == 6


class ReplacingClient:
    """Breaks the first stream of an object, and overwrites the object before anybody can read on."""

    def __init__(self, store: S3Store) -> None:
        self.store, self.calls = store, 0

    def get_object(self, **asked: Any) -> Any:
        answer = self.store._client.get_object(**asked)
        self.calls += 1
        if self.calls == 1:
            data = answer["Body"].read()
            answer["Body"] = StreamingBody(io.BytesIO(data[:3]), len(data))
            self.store.write(asked["Key"], b"new content")
        return answer


def test_an_object_replaced_while_it_is_read_is_an_error(store: S3Store) -> None:
    """Reading on would mix two contents: who reads without a version is told."""
    store.write("replaced", b"old content")
    reader = S3Store(cast("Any", ReplacingClient(store)), store.bucket, StillClock())
    with pytest.raises(CloudKonError, match=r"s3://[^ ]+/replaced was replaced while it was read"):
        whole(reader, "replaced")
