"""Examines the account and a stage in AWS, for doctor and deploy."""

import os
from collections.abc import Iterator

from cloudkon.aws.checkups.account import check_account
from cloudkon.aws.checkups.stage import examine
from cloudkon.aws.checkups.subject import Subject
from cloudkon.aws.session import Session
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError
from cloudkon.settings import Settings
from cloudkon.stage.checkup import CheckResult, problem


def examine_stage(stage: str, clock: Clock) -> Iterator[CheckResult]:
    """The account and the stage; where it is not known whose account this is, that is all there is to find."""
    try:
        settings = Settings.from_environ(os.environ)
        session = Session()
        yield from check_account(session, clock, settings.guard_ms)
        subject = Subject(session, session.names(stage), settings, clock)
    except CloudKonError as error:
        says, _, remedy = str(error).partition(". ")
        yield problem("credentials", f"{says.rstrip('.')}.", remedy or "See docs/deploy.md.")
        return
    yield from examine(subject)
