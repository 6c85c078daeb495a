import json

import pytest

from cli.stage.report import masked


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("arn:aws:sts::123456789012:assumed-role/Admin/jo.doe, account 123456789012", "123456789012"),
        ("arn:aws:sts::123456789012:assumed-role/Admin/jo.doe, account 123456789012", "jo.doe"),
        ("arn:aws:iam::123456789012:user/jo", "user/jo"),
        ('{"AlarmEmail": "jo.doe@example.org"}', "jo.doe@example.org"),
        ("AKIAIOSFODNN7EXAMPLE is refused", "AKIAIOSFODNN7EXAMPLE"),
        ("Could not reach https://jo:opensesame@proxy.example.org/x", "opensesame"),
        ("i-1 at 10.11.12.13 was ended", "10.11.12.13"),
        ("key/1234abcd-12ab-34cd-56ef-1234567890ab is disabled", "1234567890ab"),
        ("s3://cloudkon-dev-workloads-123456789012-eu-central-1/a", "123456789012"),
    ],
)
def test_a_report_does_not_tell_whose_account_it_is(text: str, secret: str) -> None:
    """Account numbers, names, addresses and keys are left out of what is sent to strangers."""
    assert secret not in masked(text)


def test_what_is_left_can_be_read() -> None:
    """A line of a report is still JSON, and says what it said."""
    line = json.dumps({"subject": "stack", "says": "cloudkon-dev: CREATE_COMPLETE in 123456789012"})
    assert json.loads(masked(line)) == {"subject": "stack", "says": "cloudkon-dev: CREATE_COMPLETE in <account>"}
