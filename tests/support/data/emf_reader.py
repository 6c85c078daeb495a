"""What CloudWatch would make of a log: the rules of the embedded metric format, as its specification has them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
from typing import Any

_UNITS = {"Seconds", "Milliseconds", "Bytes", "Percent", "Count", "None"}
_MAX_LINE_BYTES = 256 * 1024


def metrics_of(line: str) -> dict[str, Any]:
    """The document of a line that CloudWatch takes metrics from; fails for one that breaks a rule."""
    assert len(line.encode()) <= _MAX_LINE_BYTES
    document: dict[str, Any] = json.loads(line)
    about = document["_aws"]
    assert about.keys() == {"Timestamp", "CloudWatchMetrics"}
    assert isinstance(about["Timestamp"], int)
    for directive in about["CloudWatchMetrics"]:
        assert directive.keys() == {"Namespace", "Dimensions", "Metrics"}
        assert 1 <= len(directive["Namespace"]) <= 1_024
        assert directive["Dimensions"]
        for dimensions in directive["Dimensions"]:
            assert len(dimensions) <= 30
            assert all(isinstance(document[name], str) and 1 <= len(document[name]) <= 1_024 for name in dimensions)
        assert 1 <= len(directive["Metrics"]) <= 100
        for metric in directive["Metrics"]:
            assert metric.keys() <= {"Name", "Unit", "StorageResolution"}
            assert metric["Unit"] in _UNITS
            _check_value(document[metric["Name"]])
    return document


def _check_value(value: object) -> None:
    values = value if isinstance(value, list) else [value]
    assert 1 <= len(values) <= 100
    assert all(isinstance(each, int | float) and not isinstance(each, bool) for each in values)
