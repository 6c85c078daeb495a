"""Asks the EC2 instance about itself (IMDSv2): each request carries a token, which is renewed before it expires.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from cloudkon.clock import Clock, epoch_ms
from cloudkon.errors import CloudKonError, InputError
from cloudkon.ledger.fleet import Instance

LINK_LOCAL = "http://169.254.169.254"
_TOKEN_TTL_S = 6 * 3600
_RENEW_BEFORE_S = 300
_MAX_ANSWER_BYTES = 64 * 1024


class MetadataError(CloudKonError):
    """The metadata service did not answer, or not as it is documented to."""


@dataclass(frozen=True, slots=True)
class Notice:
    """EC2 is about to interrupt this spot instance."""

    action: str
    """terminate, stop or hibernate."""
    at_ms: int


def metadata_endpoint(environ: Mapping[str, str]) -> str | None:
    """Where AWS's own libraries would look, None if they are told not to; raises InputError for what is no URL."""
    if environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        return None
    endpoint = environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or LINK_LOCAL
    try:
        parts = urlsplit(endpoint)
        usable = parts.scheme == "http" and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise InputError(f"AWS_EC2_METADATA_SERVICE_ENDPOINT={endpoint} is no URL such as {LINK_LOCAL}.")
    return endpoint


@dataclass(slots=True)
class Metadata:
    """The metadata service; every verb raises MetadataError. Of one thread. Proxies are not for it."""

    endpoint: str
    clock: Clock
    timeout_s: float = 1.0
    _token: str | None = None
    _renew_s: float = field(default=float("-inf"))

    def instance(self) -> Instance:
        paths = ("instance-id", "instance-type", "placement/availability-zone", "instance-life-cycle")
        facts = [self._get(path) for path in paths]
        identity, kind, zone, market = ((fact or "").strip() for fact in facts)
        if not identity:
            raise MetadataError("The metadata service does not tell the instance's id.")
        return Instance(identity, kind, zone, market)

    def spot_notice(self) -> Notice | None:
        """Raises MetadataError for a notice that can't be read."""
        # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
        answer = self._get("spot/instance-action")
        if answer is None:
            return None
        said = _object(answer)
        return Notice(str(said.get("action")), _moment_ms(said.get("time")))

    def rebalance_recommended(self) -> bool:
        # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/rebalance-recommendations.html
        answer = self._get("events/recommendations/rebalance")
        if answer is None:
            return False
        _moment_ms(_object(answer).get("noticeTime"))
        return True

    def target_state(self) -> str | None:
        """What its group wants the instance to be, as in InService or Terminated; None if it is in no group."""
        # https://docs.aws.amazon.com/autoscaling/ec2/userguide/retrieving-target-lifecycle-state-through-imds.html
        answer = self._get("autoscaling/target-lifecycle-state")
        return None if answer is None else answer.strip()

    def _get(self, path: str) -> str | None:
        """What is at a path, None if nothing is."""
        for fresh in (False, True):
            if fresh or self._token is None or self.clock.monotonic_s() >= self._renew_s:
                self._token = self._new_token()
            status, body = self._ask("GET", f"meta-data/{path}", {"X-aws-ec2-metadata-token": self._token})
            if status == 200:
                return body
            if status == 404:
                return None
            if status != 401:  # 401: the token is not, or no longer, one that it knows
                raise MetadataError(f"The metadata service answered {status} for {path}.")
        raise MetadataError("The metadata service refuses the tokens it gives.")

    def _new_token(self) -> str:
        asked_s = self.clock.monotonic_s()
        status, body = self._ask("PUT", "api/token", {"X-aws-ec2-metadata-token-ttl-seconds": str(_TOKEN_TTL_S)})
        if status != 200 or not body.isascii() or not body.isprintable() or not body:
            raise MetadataError(f"The metadata service gave no token: it answered {status}.")
        self._renew_s = asked_s + _TOKEN_TTL_S - _RENEW_BEFORE_S
        return body

    def _ask(self, verb: str, path: str, headers: Mapping[str, str]) -> tuple[int, str]:
        base = urlsplit(self.endpoint)
        from http.client import HTTPConnection, HTTPException  # noqa: PLC0415 (it brings TLS and mail: not for LOCAL)

        connection = HTTPConnection(base.hostname or "", base.port, timeout=self.timeout_s)
        try:
            connection.request(verb, f"{base.path.rstrip('/')}/latest/{path}", headers=dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read(_MAX_ANSWER_BYTES).decode(errors="replace")
        except (OSError, HTTPException) as error:
            raise MetadataError(f"The metadata service at {self.endpoint} did not answer: {error}.") from error
        finally:
            connection.close()


def _object(answer: str) -> dict[str, Any]:
    try:
        said = json.loads(answer)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise MetadataError(f"The metadata service gave a notice that can't be read: {answer[:200]!r}.")
    return said


def _moment_ms(said: object) -> int:
    try:
        moment = datetime.fromisoformat(str(said))
        return epoch_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError) as error:
        raise MetadataError(f"The metadata service gave a notice without a time: {said!r}.") from error
