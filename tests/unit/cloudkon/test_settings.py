from typing import Any

import pytest

from cloudkon.errors import InputError
from cloudkon.settings import QUEUE_RETENTION_DAYS, Settings


def test_the_defaults_agree() -> None:
    """The defaults hold every rule, and give the durations of the design."""
    settings = Settings()
    assert (settings.lease_s, settings.visibility_s, settings.heartbeat_s) == (120, 150, 40)
    assert (settings.lease_ms, settings.guard_ms) == (120_000, 2_000)
    assert settings.retention_s == 30 * 86_400


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"poll_s": 0}, "poll_s lies between 0 and 20"),
        ({"poll_s": 20.1}, "poll_s lies between 0 and 20"),
        ({"checkpoint_s": 0}, "checkpoint_s is positive"),
        ({"report_s": 0}, "report_s is positive"),
        ({"linger_s": -1}, "no duration is negative"),
        ({"guard_s": -1}, "no duration is negative"),
        ({"lease_s": 6}, "lease_s is longer than two guards and two checkpoints"),
        ({"lease_s": float("nan")}, "lease_s is longer than two guards and two checkpoints"),
        ({"visibility_margin_s": 2}, "visibility_margin_s is longer than guard_s"),
        ({"lease_s": 43_200}, "at most 12 hours"),
        ({"retention_days": QUEUE_RETENTION_DAYS}, "retention_days is more than the queue's 14 days"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(changes: dict[str, Any], rule: str) -> None:
    """Each rule is named when it is broken."""
    with pytest.raises(InputError, match=rule):
        Settings(**changes)


def test_short_leases_are_possible() -> None:
    """Tests of takeovers need leases of seconds."""
    settings = Settings(lease_s=1, guard_s=0.2, checkpoint_s=0.1, visibility_margin_s=0.5)
    assert settings.visibility_s == 1.5


def test_the_environment_sets_durations() -> None:
    """What the environment names replaces the default, and what the caller names replaces that."""
    settings = Settings.from_environ({"CLOUDKON_LEASE_S": "8.5", "CLOUDKON_RETENTION_DAYS": "20"}, drain_s=3)
    assert settings == Settings(lease_s=8.5, retention_days=20, drain_s=3)
    assert Settings.from_environ({"CLOUDKON_LEASE_S": "", "CLOUDKON_STAGE": "dev", "LEASE_S": "1"}) == Settings()
    assert Settings.from_environ({"CLOUDKON_DRAIN_S": "5"}, drain_s=3).drain_s == 3


@pytest.mark.parametrize(
    ("variable", "said", "complaint"),
    [
        ("CLOUDKON_LEASE_S", "2 min", "CLOUDKON_LEASE_S=2 min is no number"),
        ("CLOUDKON_POLL_S", "nan", "CLOUDKON_POLL_S=nan is no number that time can be measured in"),
        ("CLOUDKON_DRAIN_S", "inf", "CLOUDKON_DRAIN_S=inf is no number that time can be measured in"),
        ("CLOUDKON_RETENTION_DAYS", "20.5", "CLOUDKON_RETENTION_DAYS=20.5 is no whole number"),
        ("CLOUDKON_LEASE_S", "6", "lease_s is longer than two guards and two checkpoints"),
    ],
)
def test_an_environment_that_makes_no_sense_is_refused(variable: str, said: str, complaint: str) -> None:
    """The variable, or the rule that its value breaks, is named."""
    with pytest.raises(InputError, match=complaint):
        Settings.from_environ({variable: said})
