"""What the docs say that a stage costs while nothing runs, against what the template asks for."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.emulators.policies import resources

PAGE = Path("docs/deploy.md").read_text(encoding="utf-8")
# https://aws.amazon.com/cloudwatch/pricing/, https://aws.amazon.com/sqs/pricing/, https://aws.amazon.com/ebs/pricing/
ALARM_METRIC_USD, FREE_ALARM_METRICS = 0.10, 10
SQS_REQUEST_USD, FREE_SQS_REQUESTS = 0.40e-6, 1_000_000
SNAPSHOT_GB_USD, IMAGE_GB = 0.05, 2
POLLERS, LONG_POLL_S, MONTH_S = 5, 20, 30 * 86_400


def metrics(condition: str) -> int:
    """How many metrics the alarms of a condition read; target tracking makes two alarms of its own."""
    return sum(_read(resource) for resource in resources().values() if resource.get("Condition") == condition)


def _read(resource: dict[str, Any]) -> int:
    properties = resource["Properties"]
    match resource["Type"]:
        case "AWS::CloudWatch::Alarm":
            return len([each for each in properties.get("Metrics", [{"MetricStat": 1}]) if "MetricStat" in each])
        case "AWS::AutoScaling::ScalingPolicy" if "TargetTrackingConfiguration" in properties:
            asked = properties["TargetTrackingConfiguration"]["CustomizedMetricSpecification"]["Metrics"]
            return 2 * len([each for each in asked if "MetricStat" in each])
        case _:
            return 0


def test_the_page_counts_the_metrics_of_the_template() -> None:
    """Alarms and scaling are billed by the metrics that they read."""
    assert f"alarms read {metrics('HasAlarms')} metrics" in PAGE
    assert f"scaling reads {metrics('Scales')} metrics" in PAGE


@pytest.mark.parametrize("free", [False, True])
def test_the_sum_of_an_idle_stage_is_right(free: bool) -> None:  # noqa: FBT001 (a parameter)
    """The sums with and without the free tier follow from the prices and from what there is."""
    read = metrics("HasAlarms") + metrics("Scales") - free * FREE_ALARM_METRICS
    requests = max(0, POLLERS * MONTH_S / LONG_POLL_S - free * FREE_SQS_REQUESTS)
    usd = read * ALARM_METRIC_USD + requests * SQS_REQUEST_USD + IMAGE_GB * SNAPSHOT_GB_USD
    (told,) = re.findall(r"\| \*\*in all\*\* \| \*\*([\d.]+)\*\* \| \*\*([\d.]+)\*\* \|", PAGE)
    assert f"{usd:.2f}" == told[free]
