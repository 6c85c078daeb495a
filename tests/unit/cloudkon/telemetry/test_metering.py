"""What is counted of the requests, and what of it is recent."""

from cloudkon.telemetry.metering import Meter, RecentCounts
from tests.support.manual_clock import ManualClock


def test_what_was_throttled_is_counted_beside_what_was_asked() -> None:
    """Every request is billed, and those that were throttled are counted once more."""
    meter = Meter()
    for operation in ("sqs.ReceiveMessage", "sqs.ReceiveMessage", "dynamodb.PutItem"):
        meter.count(operation)
    meter.count_throttled("sqs.ReceiveMessage")
    assert meter.totals() == {"sqs.ReceiveMessage": 2, "dynamodb.PutItem": 1}
    assert meter.throttled() == {"sqs.ReceiveMessage": 1}


def test_what_came_in_the_last_minute() -> None:
    """Growth counts for a minute after it was seen, and what has not grown is left out."""
    clock, meter = ManualClock(), Meter()
    recent = RecentCounts(meter.throttled, clock)
    meter.count_throttled("before the first look")
    assert recent.look() == {"before the first look": 1}
    clock.advance(30.0)
    meter.count_throttled("half a minute later")
    assert recent.look() == {"before the first look": 1, "half a minute later": 1}
    clock.advance(30.0)
    assert recent.look() == {"half a minute later": 1}
    clock.advance(29.0)
    meter.count_throttled("half a minute later")
    assert recent.look() == {"half a minute later": 2}
    clock.advance(31.0)
    assert recent.look() == {"half a minute later": 1}
    clock.advance(60.0)
    assert recent.look() == {}


def test_a_look_that_was_late_misses_nothing() -> None:
    """Who could not look for minutes is told what came since the last look."""
    clock, meter = ManualClock(), Meter()
    recent = RecentCounts(meter.throttled, clock)
    recent.look()
    clock.advance(40.0)
    meter.count_throttled("unseen")
    clock.advance(260.0)
    meter.count_throttled("just now")
    assert recent.look() == {"unseen": 1, "just now": 1}
