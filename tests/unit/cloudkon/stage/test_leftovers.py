"""What counts as left over, decided purely."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudkon.errors import DeniedError
from cloudkon.stage.leftovers import (
    BUILD_MS,
    DAY_MS,
    HOUR_MS,
    Kind,
    Leftover,
    SeenInstance,
    Unsearched,
    is_function,
    is_tracking_alarm,
    searched,
    volume_usd,
    why_artifacts,
    why_instance,
    why_snapshot,
    why_upload,
    why_volume,
)
from cloudkon.stage.names import check_stage

NOW_MS = 1_750_000_000_000
OLD_MS = NOW_MS - DAY_MS


@pytest.mark.parametrize(
    "seen",
    [
        SeenInstance("running", OLD_MS),
        SeenInstance("stopped", OLD_MS),
        SeenInstance("stopped", OLD_MS, stopped_ms=NOW_MS - HOUR_MS - 1),
        SeenInstance("running", OLD_MS, builds=True),
        SeenInstance("stopped", NOW_MS - BUILD_MS - 1, builds=True),
        SeenInstance("running", OLD_MS, builds=True, reports=True),
    ],
)
def test_instances_that_work_for_nobody(seen: SeenInstance) -> None:
    """An old instance that nobody hears of, that is stopped, or that was to become an image is left over."""
    assert why_instance(seen, NOW_MS)


@pytest.mark.parametrize(
    "seen",
    [
        SeenInstance("terminated", OLD_MS),
        SeenInstance("shutting-down", OLD_MS, builds=True),
        SeenInstance("running", OLD_MS, grouped=True),
        SeenInstance("stopped", OLD_MS, grouped=True),
        SeenInstance("running", OLD_MS, reports=True),
        SeenInstance("running", NOW_MS - HOUR_MS),
        SeenInstance("stopped", OLD_MS, stopped_ms=NOW_MS - HOUR_MS),
        SeenInstance("stopped", NOW_MS - BUILD_MS, builds=True),
    ],
)
def test_instances_that_stay(seen: SeenInstance) -> None:
    """What a group looks after, what works, what is young and what has ended is nobody's leftover."""
    assert not why_instance(seen, NOW_MS)


def test_each_kind_of_leftover_is_spared_for_a_time() -> None:
    """Each thing has its time, within which somebody may be making or using it."""
    assert why_volume("available", NOW_MS - HOUR_MS - 1, NOW_MS)
    assert not why_volume("available", NOW_MS - HOUR_MS, NOW_MS)
    assert not why_volume("in-use", OLD_MS, NOW_MS)
    assert why_snapshot(NOW_MS - BUILD_MS - 1, NOW_MS, in_an_image=False)
    assert not why_snapshot(NOW_MS - BUILD_MS, NOW_MS, in_an_image=False)
    assert not why_snapshot(OLD_MS, NOW_MS, in_an_image=True)
    assert why_artifacts(OLD_MS - 1, NOW_MS, named=False)
    assert not why_artifacts(OLD_MS, NOW_MS, named=False)
    assert not why_artifacts(OLD_MS - 1, NOW_MS, named=True)
    assert why_upload(OLD_MS - 1, NOW_MS)
    assert not why_upload(OLD_MS, NOW_MS)


STAGES = st.from_regex(r"[a-z]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True).map(check_stage)
HANDLERS = st.from_regex(re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,20}", re.ASCII), fullmatch=True)


@given(STAGES, STAGES, HANDLERS)
def test_a_function_is_of_one_stage(stage: str, other: str, handler: str) -> None:
    """Whatever the stages are called, none takes another one's function for its own."""
    assert is_function(stage, f"cloudkon-{stage}-{handler}")
    assert is_function(other, f"cloudkon-{stage}-{handler}") == (stage == other)


@pytest.mark.parametrize(
    "name",
    [
        "cloudkon-dev-2-ingest",
        "cloudkon-dev",
        "cloudkon-dev-",
        "cloudkon-dev-worker-eu-central-1",
        "cloudkon-dev-2",
        "cloudkon-developer-ingest",
        "my-cloudkon-dev-ingest",
        "cloudkon-dev-ingest-copy",
    ],
)
def test_names_of_others(name: str) -> None:
    """What only begins as a function of the stage does is another one's."""
    assert not is_function("dev", name)


def test_alarms_of_target_tracking() -> None:
    """The alarms of a group are not those of a group whose name begins with its own."""
    assert is_tracking_alarm("cloudkon-dev-workers", "TargetTracking-cloudkon-dev-workers-AlarmHigh-12ab-34")
    assert not is_tracking_alarm("cloudkon-dev-workers", "TargetTracking-cloudkon-dev-workers-2-AlarmHigh-12ab-34")


def test_a_search_that_fails_is_told() -> None:
    """Whoever may not ask for one thing is told so, with what was found before."""
    found = Leftover(Kind.VOLUME, "vol-1", "why")

    def look() -> list[Leftover]:
        raise DeniedError("AWS refuses the credentials.")

    assert list(searched("volumes", lambda: [found])) == [found]
    assert list(searched("volumes", look)) == [Unsearched("volumes", "AWS refuses the credentials.")]


def test_unknown_disks_have_no_price() -> None:
    """A cost that is not known is not made up."""
    assert volume_usd("gp3", 100) == pytest.approx(8.0)
    assert volume_usd("of tomorrow", 100) is None
