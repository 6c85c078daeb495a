"""Why a change to a stack failed, and what somebody can do about it."""

from collections.abc import Sequence
from dataclasses import dataclass

from cloudkon.errors import CloudKonError

# Eligible where an account has AWS's Free Plan; EC2 starts no others there:
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-free-tier-usage.html
FREE_PLAN = (
    "--parameter InstanceType=c7i-flex.large --parameter SecondInstanceType=m7i-flex.large "
    "--parameter ThirdInstanceType="
)
_HINTS = {
    "service control policy": "The organization of the account forbids it. Where it demands a permissions boundary: "
    "cloudkon-cli deploy --parameter PermissionsBoundaryArn=arn:aws:iam::...",
    "eligible for Free Tier": f"The account has AWS's Free Plan: cloudkon-cli deploy {FREE_PLAN}",
    "KMS": "The role of Auto Scaling may have to be let use the key: see docs/deploy.md.",
}
_NAME_TAKEN = "60 seconds"


@dataclass(frozen=True, slots=True)
class Step:
    """One change to one resource of a stack."""

    resource: str
    status: str
    reason: str


class StackFailedError(CloudKonError):
    """A stack did not become what it was to be."""

    def __init__(self, name: str, status: str, failures: Sequence[Step]) -> None:
        super().__init__(f"The stack {name} ended as {status}. {_told(failures)}")
        # "You must wait 60 seconds after deleting a queue before you can create another with the same name":
        # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
        self.over_a_name = any(_NAME_TAKEN in step.reason for step in failures)


def _told(failures: Sequence[Step]) -> str:
    """The first failure is the cause; the others follow from it."""
    if not failures:
        return "CloudFormation gives no reason; see the stack's events in the AWS console."
    reason = failures[0].reason or "no reason given"
    hint = next((f" {hint}" for words, hint in _HINTS.items() if words in reason), "")
    return f"{failures[0].resource}: {reason}{hint}"
