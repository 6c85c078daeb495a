"""Metrics as lines of a log, from which CloudWatch takes them: the embedded metric format.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

from cloudkon.clock import Clock
from cloudkon.stage.names import METRIC_NAMESPACE
from cloudkon.telemetry.histogram import Histogram

log = logging.getLogger(__name__)

MAX_VALUES = 100
"""How many values one metric may have in one line; see the page above."""

Metrics = Mapping[str, float | Sequence[float]]
"""Metrics by name; a name ends in its unit, and one without a unit is a count."""


def line(stage: str, now_ms: int, metrics: Metrics, facts: Mapping[str, str] | None = None) -> str:
    """Write metrics of a stage; facts stand beside them in the log. A metric without any value is left out."""
    given = {name: value for name, value in metrics.items() if not isinstance(value, Sequence) or value}
    directive = {
        "Namespace": METRIC_NAMESPACE,
        "Dimensions": [["Stage"]],
        "Metrics": [{"Name": name, "Unit": _unit(name)} for name in given],
    }
    about = {"_aws": {"Timestamp": now_ms, "CloudWatchMetrics": [directive]}, "Stage": stage}
    return json.dumps({**(facts or {}), **about, **given}, separators=(",", ":"))


def _unit(name: str) -> str:
    return "Milliseconds" if name.endswith("Milliseconds") else "Count"


def representative_values(durations: Histogram) -> list[float]:
    """As many durations as a line takes, to stand for all: evenly spaced by rank, and the longest one."""
    count, longest_ms = min(durations.count, MAX_VALUES), durations.max_ms
    if longest_ms is None:
        return []
    ranks = (100 * (place + 0.5) / count for place in range(count - 1))
    return [round(durations.percentile(rank) or 0.0, 3) for rank in ranks] + [longest_ms]


@dataclass(frozen=True, slots=True)
class MetricLog:
    """Writes the metrics of a stage, each line in one write, so that several processes may share the output."""

    stage: str
    clock: Clock
    out: TextIO

    def write(self, metrics: Metrics, **facts: str) -> None:
        if metrics:
            try:
                self.out.write(line(self.stage, self.clock.now_ms(), metrics, facts) + "\n")
                self.out.flush()
            except OSError as error:  # a full disk, or nobody who reads: no work may end over that
                log.warning("Metrics were not written: %s", error)
