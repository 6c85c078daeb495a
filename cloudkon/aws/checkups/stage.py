"""All that is examined of a stage, in the order of the way of the data."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from cloudkon.aws.checkups.ami import check_image
from cloudkon.aws.checkups.dispatcher import check_errors, check_functions, check_notification, check_range_source
from cloudkon.aws.checkups.formation import check_drift, check_stack, no_stack
from cloudkon.aws.checkups.machine_types import check_disk_key, check_free_plan, check_network
from cloudkon.aws.checkups.queues import check_queues
from cloudkon.aws.checkups.quotas import check_concurrency, check_vcpus
from cloudkon.aws.checkups.roles import check_roles
from cloudkon.aws.checkups.subject import Subject
from cloudkon.aws.checkups.table import check_table
from cloudkon.aws.checkups.worker_logs import check_worker_logs
from cloudkon.stage.checkup import CheckResult, run_check

_Checks = Mapping[str, tuple[Callable[[Subject], Iterable[CheckResult]], ...]]
_OF_THE_STACK: _Checks = {
    "drift": (check_drift,),
    "notification": (check_notification,),
    "lambda": (check_functions,),
    "ranges": (check_range_source,),
    "lambda errors": (check_errors,),
    "queue": (check_queues,),
    "ledger": (check_table,),
    "roles": (check_roles,),
    "image": (check_image,),
    "worker logs": (check_worker_logs,),
}
_OF_THE_ACCOUNT: _Checks = {
    "quotas": (check_vcpus, check_concurrency),
    "machine types": (check_free_plan,),
    "network": (check_network,),
    "disks": (check_disk_key,),
}


def examine(subject: Subject) -> Iterator[CheckResult]:
    """Everything about the stage, as it is found; a check that fails keeps no other from its work.

    Where there is no stack, what would be of it is not looked for.
    """
    found = list(run_check("stack", lambda: check_stack(subject)))
    yield from found
    if no_stack(subject) not in found:
        yield from _examined(subject, _OF_THE_STACK)
    yield from _examined(subject, _OF_THE_ACCOUNT)


def _examined(subject: Subject, checks: _Checks) -> Iterator[CheckResult]:
    for name, several in checks.items():
        for check in several:
            yield from run_check(name, lambda check=check: check(subject))  # type: ignore[misc]
