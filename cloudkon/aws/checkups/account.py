"""Whose credentials these are, where they lead, and whether the clocks agree."""

from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from cloudkon.aws.errors import translated
from cloudkon.aws.session import Session
from cloudkon.clock import Clock, epoch_ms
from cloudkon.errors import InputError
from cloudkon.stage.checkup import CheckResult, ok, problem, unknown


def check_account(session: Session, clock: Clock, guard_ms: int) -> Iterator[CheckResult]:
    """Ask STS who asks; raise DeniedError without credentials, InputError without a region."""
    sts = session.identity()
    with translated("ask AWS whose credentials these are"):
        answer = sts.get_caller_identity()
    yield ok("credentials", f"{answer['Arn']}, account {answer['Account']}")
    yield ok("region", f"{sts.meta.region_name}, by {sts.meta.endpoint_url}")
    yield _skew(answer["ResponseMetadata"]["HTTPHeaders"].get("date"), clock.now_ms(), guard_ms)


def _skew(date: str | None, now_ms: int, guard_ms: int) -> CheckResult:
    """Compare with the second in which AWS answered; leases of machines are compared with a guard between."""
    if date is None:
        return unknown("clock", "The answer carried no date to compare with.")
    try:
        there_ms = epoch_ms(parsedate_to_datetime(date))
    except ValueError as error:
        raise InputError(f"AWS's answer carries a date that can't be read: {date!r}.") from error
    apart_ms = max(0, there_ms - now_ms, now_ms - there_ms - 1_000)  # the header tells whole seconds
    if apart_ms > guard_ms:
        return problem(
            "clock",
            f"This machine's clock is {apart_ms / 1000:.1f} s away from AWS's; leases allow {guard_ms / 1000:g} s.",
            "Let a time service set it (chrony, systemd-timesyncd). AWS refuses requests from 5 minutes on.",
        )
    return ok("clock", f"within {max(1_000, apart_ms) / 1000:.0f} s of AWS's")
