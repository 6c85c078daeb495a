"""What is examined."""

from dataclasses import dataclass

from cloudkon.aws.session import Session
from cloudkon.clock import Clock
from cloudkon.settings import Settings
from cloudkon.stage.names import Names


@dataclass(frozen=True, slots=True)
class Subject:
    """One stage, and by which settings it should work."""

    session: Session
    names: Names
    settings: Settings
    clock: Clock
