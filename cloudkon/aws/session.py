"""Makes clients: region, credentials and endpoint come from boto3's own chain, every request is metered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, NoRegionError

from cloudkon.aws.errors import NoAnswerError, has_expired, is_throttled, translated
from cloudkon.aws.owners import name_owner
from cloudkon.errors import InputError
from cloudkon.stage.names import Names
from cloudkon.telemetry.metering import Meter

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_pricing import PricingClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_service_quotas import ServiceQuotasClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_sts import STSClient


@dataclass(frozen=True, slots=True)
class _Patience:
    """How long a call may take: each of its tries has both timeouts, with backoff and jitter between them."""

    connect_s: int
    read_s: int
    tries: int


_USUAL = _Patience(connect_s=5, read_s=30, tries=5)
# Past the longest receive, 20 s; all tries together are over before a lease is.
_QUEUE = _Patience(connect_s=3, read_s=25, tries=3)
# A call to the ledger ends, tries and backoff together, before the next heartbeat is due: no lease is lost to a
# connection that hangs. DynamoDB itself answers within milliseconds.
_LEDGER = _Patience(connect_s=2, read_s=4, tries=4)
# The first call of every process: whether AWS can be reached at all is told within seconds.
_FIRST = _Patience(connect_s=3, read_s=5, tries=3)

VALIDATES = False
"""Whether botocore checks what it is asked; that costs CPU at every call, and the tests do it."""
_PUBLIC_SETTINGS = frozenset({"region", "sso_region", "output", "retry_mode", "max_attempts", "credential_source"})
_TELLING = 6
"""From how many characters on a value tells something."""
_S3_SIGNATURE = "s3v4"
"""Left alone, botocore signs links of us-east-1 in the old way, which opens nothing that is encrypted by KMS.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html"""


class Session:
    """One process's way to AWS; clients are safe to share between threads."""

    def __init__(self, meter: Meter | None = None, *, tries: int | None = None, connections: int = 32) -> None:
        self.meter = meter or Meter()
        with translated("read the AWS configuration"):
            self._session = _configured()
        self._renewed: Credentials | None = None
        """In place of those that have expired."""
        self._tries = tries
        self._config = Config(
            max_pool_connections=connections,
            user_agent="cloudkon",  # building the default one costs CPU at every call
            parameter_validation=VALIDATES,
            s3={"addressing_style": "auto"},
        )

    def names(self, stage: str) -> Names:
        """The stage's names in this account and region; raises what translated raises."""
        with translated("ask AWS whose credentials these are"):
            sts = self.identity()
            return Names(stage, sts.get_caller_identity()["Account"], sts.meta.region_name)

    def identity(self) -> "STSClient":
        """Raises InputError without a region: sts would answer without one, for nowhere."""
        with translated("ask AWS whose credentials these are"):
            if self._session.region_name is None:
                raise NoRegionError
        client: STSClient = self._client("sts", _FIRST)
        return client

    def sqs(self) -> "SQSClient":
        client: SQSClient = self._client("sqs", _QUEUE)
        return client

    def dynamodb(self) -> "DynamoDBClient":
        client: DynamoDBClient = self._client("dynamodb", _LEDGER)
        return client

    def s3(self, *, prompt: bool = False) -> "S3Client":
        """Prompt, for whoever renews leases too: its calls take no longer than the ledger's."""
        client: S3Client = self._client("s3", _LEDGER if prompt else _USUAL, _S3_SIGNATURE)
        client.meta.events.register("provide-client-params.s3", name_owner)
        return client

    def cloudformation(self) -> "CloudFormationClient":
        client: CloudFormationClient = self._client("cloudformation")
        return client

    def functions(self, region: str | None = None) -> "LambdaClient":
        """Of another region than the configured one, if it is named."""
        client: LambdaClient = self._client("lambda", region=region)
        return client

    def autoscaling(self) -> "AutoScalingClient":
        # Asked by who also watches for the end of its instance: it is not to wait for long.
        client: AutoScalingClient = self._client("autoscaling", _FIRST)
        return client

    def cloudwatch(self) -> "CloudWatchClient":
        client: CloudWatchClient = self._client("cloudwatch")
        return client

    def ec2(self) -> "EC2Client":
        client: EC2Client = self._client("ec2")
        return client

    def iam(self) -> "IAMClient":
        client: IAMClient = self._client("iam")
        return client

    def logs(self) -> "CloudWatchLogsClient":
        client: CloudWatchLogsClient = self._client("logs")
        return client

    def pricing(self) -> "PricingClient":
        """Prices of all regions are told in few: https://docs.aws.amazon.com/general/latest/gr/billing.html."""
        client: PricingClient = self._client("pricing", _FIRST, region="us-east-1")
        return client

    def freetier(self) -> Any:
        """Asked of all regions in one: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/free-tier-api.html."""
        return self._client("freetier", _FIRST, region="us-east-1")

    def kms(self) -> Any:
        return self._client("kms")

    def quotas(self) -> "ServiceQuotasClient":
        client: ServiceQuotasClient = self._client("service-quotas", _FIRST)
        return client

    def ssm(self) -> "SSMClient":
        client: SSMClient = self._client("ssm")
        return client

    def _client(
        self, service: str, patience: _Patience = _USUAL, signature: str | None = None, region: str | None = None
    ) -> Any:
        config = self._config.merge(
            Config(
                signature_version=signature,
                connect_timeout=patience.connect_s,
                read_timeout=patience.read_s,
                retries={"mode": "standard", "total_max_attempts": self._tries or patience.tries},
            )
        )
        make: Callable[..., Any] = self._session.client  # the stubs know it by literal names only
        with translated(f"reach {service}"):
            try:
                client: Any = make(service, config=config, region_name=region)
            except BotoCoreError:  # some are ValueErrors too
                raise
            except ValueError as error:  # an endpoint that is no URL
                raise InputError(f"Could not reach {service}: {error}. Is AWS_ENDPOINT_URL right?") from error
        client.meta.events.register("before-send.*", self._count)
        client.meta.events.register("response-received.*", self._look_at_answer)
        client.meta.events.register("after-call.*", _check_answer)
        client.meta.events.register("before-sign.*", self._sign_anew)
        return client

    def _count(self, event_name: str, **_: Any) -> None:
        self.meter.count(_operation(event_name))

    def _look_at_answer(self, event_name: str, parsed_response: Mapping[str, Any] | None, **_: Any) -> None:
        """Of every try: what boto3 tries again by itself is seen here and nowhere else."""
        if parsed_response is None:
            return
        # A batch of statements is a success whose entries may each have been throttled.
        entries = parsed_response.get("Responses", ()) if event_name.endswith("BatchExecuteStatement") else ()
        if entries:  # one call, and each of its writes is billed as one
            self.meter.count(f"{_operation(event_name)}.statements", len(entries))
        for each in (parsed_response, *entries):
            if is_throttled(each):
                self.meter.count_throttled(_operation(event_name))
        if has_expired(parsed_response):  # who has logged in again meanwhile has left others where these were found
            self._renewed = _configured().get_credentials()

    def _sign_anew(self, request: Any, **_: Any) -> None:
        if self._renewed is not None:
            request.context.setdefault("signing", {})["request_credentials"] = self._renewed


def _configured() -> boto3.session.Session:
    """By boto3's own chain; the region also by AWS_REGION, before AWS_DEFAULT_REGION, as AWS's other tools have it.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html
    """
    variables = {"region": ("region", ["AWS_REGION", "AWS_DEFAULT_REGION"], None, None)}
    return boto3.session.Session(botocore_session=botocore.session.Session(session_vars=variables))


def private_settings() -> set[str]:
    """What AWS's files say of whoever runs this: names of profiles, and values but for what all people have alike."""
    config = botocore.session.Session().full_config
    sections = {**config.get("profiles", {}), **config.get("sso_sessions", {})}
    values = {str(v) for each in sections.values() for name, v in each.items() if name not in _PUBLIC_SETTINGS}
    return {value for value in values | (sections.keys() - {"default"}) if len(value) >= _TELLING}


def _check_answer(http_response: Any, model: Any, **_: Any) -> None:
    """Refuse a page that came with a status of 200: boto3 makes an empty answer of whatever is not JSON."""
    if model.service_model.resolved_protocol != "json" or http_response.status_code >= HTTPStatus.MULTIPLE_CHOICES:
        return
    said = b"" if http_response.raw is None else http_response.content.strip()
    if said and not (said.startswith(b"{") and said.endswith(b"}")):
        raise NoAnswerError("it is not JSON")


def _operation(event_name: str) -> str:
    """As in "sqs.ReceiveMessage", of the event before-send.sqs.ReceiveMessage."""
    return event_name.partition(".")[2]
