"""What the instance says of itself, by a metadata service on loopback."""

import socket
import time
from collections.abc import Iterator

import pytest

from cloudkon.errors import InputError
from cloudkon.ledger.fleet import Instance
from ec2_worker.lifecycle.imds import LINK_LOCAL, Metadata, MetadataError, Notice, metadata_endpoint
from tests.support.manual_clock import ManualClock
from tests.support.servers.metadata_server import NOTICE, REBALANCE, MetadataServer, metadata_server

AT_MS = 1_750_000_000_000  # 2025-06-15T15:06:40Z


@pytest.fixture
def server() -> Iterator[MetadataServer]:
    with metadata_server() as server:
        yield server


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def metadata(server: MetadataServer, clock: ManualClock) -> Metadata:
    return Metadata(server.endpoint, clock)


def test_the_instance_tells_its_id_type_zone_and_market(metadata: Metadata) -> None:
    """The four facts of a worker's row."""
    assert metadata.instance() == Instance("i-0123456789abcdef0", "c7g.large", "eu-central-1a", "spot")


def test_an_instance_that_does_not_tell_its_market_is_told_without(metadata: Metadata, server: MetadataServer) -> None:
    """What the metadata service does not know is left empty, and the rest is told."""
    del server.answers["instance-life-cycle"]
    assert metadata.instance() == Instance("i-0123456789abcdef0", "c7g.large", "eu-central-1a")


def test_one_token_serves_many_questions(metadata: Metadata, server: MetadataServer, clock: ManualClock) -> None:
    """It is asked for once, and again before its six hours are over."""
    metadata.instance()
    clock.advance(6 * 3600 - 301)
    metadata.spot_notice()
    assert server.tokens_given == 1
    clock.advance(1)
    metadata.spot_notice()
    assert server.tokens_given == 2


def test_a_refused_token_is_renewed_at_once(metadata: Metadata, server: MetadataServer) -> None:
    """After a stop and a start the instance has forgotten its tokens."""
    metadata.instance()
    server.valid.clear()
    assert metadata.spot_notice() is None
    assert server.tokens_given == 2


def test_without_a_notice_there_is_none(metadata: Metadata) -> None:
    """404 is the ordinary answer."""
    assert metadata.spot_notice() is None
    assert metadata.rebalance_recommended() is False


def test_a_notice_names_action_and_time(metadata: Metadata, server: MetadataServer) -> None:
    """The time is UTC, whatever this machine's zone is."""
    server.answers[NOTICE] = '{"action": "terminate", "time": "2025-06-15T15:06:40Z"}'
    server.answers[REBALANCE] = '{"noticeTime": "2025-06-15T15:06:40Z"}'
    assert metadata.spot_notice() == Notice("terminate", AT_MS)
    assert metadata.rebalance_recommended() is True


def test_a_time_without_a_zone_is_utc(
    metadata: Metadata, server: MetadataServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the machine's own clock believes to be."""
    server.answers[NOTICE] = '{"action": "stop", "time": "2025-06-15T15:06:40"}'
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        assert metadata.spot_notice() == Notice("stop", AT_MS)
    time.tzset()


@pytest.mark.parametrize(
    "answer",
    ["", "<html>", "[]", "null", "{}", '{"action": "stop"}', '{"action": "stop", "time": "soon"}', "[" * 9_999],
)
def test_a_notice_that_cant_be_read_is_an_error(metadata: Metadata, server: MetadataServer, answer: str) -> None:
    """It is neither a notice nor none."""
    server.answers[NOTICE] = answer
    with pytest.raises(MetadataError, match="notice"):
        metadata.spot_notice()


@pytest.mark.parametrize("status", [0, 400, 403, 500, 503])
def test_any_other_answer_is_an_error(metadata: Metadata, server: MetadataServer, status: int) -> None:
    """Trouble is not taken for the absence of a notice."""
    server.answers[NOTICE] = "{}"
    server.status = status
    with pytest.raises(MetadataError):
        metadata.spot_notice()


def test_a_service_without_tokens_is_an_error(metadata: Metadata, server: MetadataServer) -> None:
    """There is no way round the token: version 1 is not spoken."""
    server.gives_tokens = False
    with pytest.raises(MetadataError, match="gave no token: it answered 403"):
        metadata.instance()
    assert not server.asked


def test_an_instance_without_an_id_is_none(metadata: Metadata, server: MetadataServer) -> None:
    """Something else than EC2 answers there."""
    del server.answers["instance-id"]
    with pytest.raises(MetadataError, match="does not tell the instance's id"):
        metadata.instance()


def test_a_silent_service_is_not_waited_for(clock: ManualClock) -> None:
    """It takes the connection and says nothing, as a firewall might."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        metadata = Metadata(f"http://127.0.0.1:{silent.getsockname()[1]}", clock, timeout_s=0.01)
        with pytest.raises(MetadataError, match="did not answer: timed out"):
            metadata.instance()


def test_proxies_are_not_asked(metadata: Metadata, monkeypatch: pytest.MonkeyPatch) -> None:
    """The instance's own address must not leave the instance."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert metadata.instance().type == "c7g.large"


@pytest.mark.parametrize(
    ("environ", "endpoint"),
    [
        ({}, LINK_LOCAL),
        ({"AWS_EC2_METADATA_SERVICE_ENDPOINT": ""}, LINK_LOCAL),
        ({"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://[fd00:ec2::254]/"}, "http://[fd00:ec2::254]/"),
        ({"AWS_EC2_METADATA_DISABLED": "true"}, None),
        ({"AWS_EC2_METADATA_DISABLED": "false"}, LINK_LOCAL),
    ],
)
def test_the_environment_says_where_it_is(environ: dict[str, str], endpoint: str | None) -> None:
    """As it does to AWS's own libraries."""
    assert metadata_endpoint(environ) == endpoint


@pytest.mark.parametrize("endpoint", ["localhost:1", "http://", "http://x:y", "http://[::1", "ftp://x"])
def test_an_endpoint_that_is_no_url_is_refused(endpoint: str) -> None:
    """The error names the variable."""
    with pytest.raises(InputError, match="AWS_EC2_METADATA_SERVICE_ENDPOINT="):
        metadata_endpoint({"AWS_EC2_METADATA_SERVICE_ENDPOINT": endpoint})
