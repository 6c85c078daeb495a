"""The account's quotas: how near the instances and the Lambda are to them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cloudkon.aws.checkups.subject import Subject
from cloudkon.aws.errors import translated
from cloudkon.aws.machines.instances import described
from cloudkon.stage.checkup import CheckResult, ok, problem

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import InstanceTypeDef

_NEAR = 0.8
# Running standard instances (A, C, D, H, I, M, R, T, Z), in vCPUs, and the same of spot requests.
# https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html
_QUOTAS = {"on-demand vCPUs": ("ec2", "L-1216C47A"), "spot vCPUs": ("ec2", "L-34B43A08")}
_STANDARD = frozenset("acdhimrtz")
_LEAST_CONCURRENCY = 10


def check_vcpus(subject: Subject) -> Iterator[CheckResult]:
    used = {"on-demand vCPUs": 0, "spot vCPUs": 0}
    client = subject.session.ec2()
    for instance in described(client, {"Name": "instance-state-name", "Values": ["pending", "running"]}):
        kind = "spot vCPUs" if instance.get("InstanceLifecycle") == "spot" else "on-demand vCPUs"
        used[kind] += _vcpus(instance)
    quotas = subject.session.quotas()
    for kind, (service, code) in _QUOTAS.items():
        with translated(f"read the quota of {kind}"):
            most = quotas.get_service_quota(ServiceCode=service, QuotaCode=code)["Quota"]["Value"]
        yield _judged(kind, used[kind], most)


def _vcpus(instance: "InstanceTypeDef") -> int:
    if instance.get("InstanceType", "")[:1] not in _STANDARD:
        return 0
    options = instance.get("CpuOptions", {})
    return options.get("CoreCount", 1) * options.get("ThreadsPerCore", 1)


def _judged(kind: str, used: int, most: float) -> CheckResult:
    says = f"{kind}: {used:,} of {most:,.0f} in use"
    if used >= _NEAR * most:
        return problem("quotas", f"{says}.", "Ask for more in the Service Quotas console before starting more workers.")
    return ok("quotas", says)


def check_concurrency(subject: Subject) -> Iterator[CheckResult]:
    with translated("read the Lambda account's limits"):
        limits = subject.session.functions().get_account_settings().get("AccountLimit", {})
    most, free = limits.get("ConcurrentExecutions", 0), limits.get("UnreservedConcurrentExecutions", 0)
    if free < _LEAST_CONCURRENCY:
        yield problem(
            "quotas",
            f"{free} of {most} concurrent Lambda executions are not reserved by others.",
            "Ask for more in the Service Quotas console, or dispatching waits its turn.",
        )
    else:
        yield ok("quotas", f"Lambda: {free:,} of {most:,} concurrent executions are free to use")
