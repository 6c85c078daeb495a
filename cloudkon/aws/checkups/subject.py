"""What is examined."""

from dataclasses import dataclass

from cloudkon.aws.session import Session
from cloudkon.clock import Clock
from cloudkon.names import Names
from cloudkon.settings import Settings


@dataclass(frozen=True, slots=True)
class Subject:
    """One stage, and by which settings it should work."""

    session: Session
    names: Names
    settings: Settings
    clock: Clock

    @property
    def partition(self) -> str:
        """Of the region: AWS's own, China's, or GovCloud's, as ARNs begin."""
        for prefix, partition in (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov")):
            if self.names.region.startswith(prefix):
                return partition
        return "aws"

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource of the stage's account and region."""
        return f"arn:{self.partition}:{service}:{self.names.region}:{self.names.account}:{resource}"
