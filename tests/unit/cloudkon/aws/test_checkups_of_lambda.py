from typing import Any

import pytest

from cloudkon.aws.checkups.dispatcher import (
    check_errors,
    check_functions,
    check_notification,
    check_range_source,
)
from cloudkon.stage.checkup import Verdict
from tests.support.emulators.checkups import NAMES, problems, subject, verdicts
from tests.support.emulators.scripted_aws import refusal

INGEST = "cloudkon-dev-ingest"


def listening(*events: str, function: str = INGEST, **more: Any) -> dict[str, Any]:
    arn = f"arn:aws:lambda:eu-central-1:123456789012:function:{function}"
    configuration = {"LambdaFunctionArn": arn, "Events": list(events)} | more
    return {"get_bucket_notification_configuration": {"LambdaFunctionConfigurations": [configuration]}}


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (listening("s3:ObjectCreated:*"), ""),
        (listening("s3:ObjectCreated:Put"), "large files"),
        (listening("s3:ObjectCreated:*", function="another"), "wakes"),
        ({"get_bucket_notification_configuration": {}}, "wakes"),
    ],
)
def test_the_ingest_function_must_hear_of_every_upload(answers: dict[str, Any], said: str) -> None:
    """The ingest function has to hear of every object, however it was uploaded."""
    found = problems(check_notification(subject(s3=answers)))
    assert said in found
    assert bool(said) == bool(found)


def test_filters_are_told() -> None:
    """A filter is nobody's mistake, but the reason why a file did not run."""
    rules = {"Key": {"FilterRules": [{"Name": "Suffix", "Value": ".txt"}]}}
    [finding] = check_notification(subject(s3=listening("s3:ObjectCreated:*", Filter=rules)))
    assert finding.verdict is Verdict.OK
    assert "suffix .txt" in finding.says


def test_a_missing_failed_or_foreign_function_is_a_problem() -> None:
    """A function that is missing, failed, or of another stage is a problem."""

    def described(FunctionName: str) -> Any:  # noqa: N803 (boto3's name)
        if FunctionName == INGEST:
            return {"State": "Failed", "StateReason": "no role"}
        return {"State": "Active", "Environment": {"Variables": {"CLOUDKON_STAGE": "prod"}}}

    said = problems(check_functions(subject(functions={"get_function_configuration": described})))
    assert "no role" in said
    assert "'prod'" in said
    nothing = {"get_function_configuration": refusal("ResourceNotFoundException", 404)}
    assert problems(check_functions(subject(functions=nothing))).count("There is no function") == len(NAMES.functions)


@pytest.mark.parametrize(("state", "verdict"), [("Enabled", Verdict.OK), ("Disabled", Verdict.PROBLEM)])
def test_the_ranges_queue_must_wake_its_function(state: str, verdict: Verdict) -> None:
    """The ranges queue has to wake its function."""
    source = {"EventSourceArn": f"arn:aws:sqs:eu-central-1:1:{NAMES.range_queue}", "State": state}
    answers = {"list_event_source_mappings": {"EventSourceMappings": [source]}}
    assert verdicts(check_range_source(subject(functions=answers))) == [verdict]


def test_the_last_error_of_a_failing_function_is_shown() -> None:
    """The last thing that a failing function said is shown."""
    events = [{"message": "[ERROR] first"}, {"message": "[ERROR]\n the  last"}]

    def filtered(logGroupName: str, **_: Any) -> Any:  # noqa: N803 (boto3's name)
        return {"events": events if logGroupName.endswith(INGEST) else []}

    found = list(check_errors(subject(logs={"filter_log_events": filtered})))
    assert verdicts(found) == [Verdict.PROBLEM, Verdict.OK]
    assert "2 times" in found[0].says
    assert "[ERROR] the last" in found[0].says
