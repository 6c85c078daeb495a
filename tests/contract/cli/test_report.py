"""doctor --report with secrets in every place that it could take them from: none of them is in what it prints."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import cloudkon_cli
from cloudkon.aws.stack.stack import Stack
from cloudkon.stage.checkup import problem
from tests.support.emulators.moto_aws import AwsLab, enter

CONFIG = """\
[default]
region = eu-central-1
[profile our-secret-project]
role_arn = arn:aws:iam::210987654321:role/secret-role
source_profile = the-other-profile
external_id = external-opensesame
mfa_serial = arn:aws:iam::210987654321:mfa/jo-doe-phone
[profile sso]
sso_session = corporation
[sso-session corporation]
sso_start_url = https://corporation-secret.awsapps.com/start
sso_region = eu-central-1
"""
KEYS = """\
[default]
aws_access_key_id = AKIAFILE000000000001
aws_secret_access_key = file/opensesame+of=forty/characters0
"""
ENVIRONMENT = {
    "AWS_SESSION_TOKEN": "token-opensesame-environment",
    "DATABASE_PASSWORD": "database-opensesame",
    "MY_API_KEY": "api-opensesame",
    "SOME_SECRET": "other-opensesame",
}
PARAMETERS = {
    "Stage": "dev",
    "MaxWorkers": "8",
    "AlarmEmail": "jo.doe@example.org",
    "AlarmTopicArn": "arn:aws:sns:eu-central-1:210987654321:secret-topic",
    "KmsKeyArn": "arn:aws:kms:eu-central-1:210987654321:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "PermissionsBoundaryArn": "arn:aws:iam::210987654321:policy/secret-boundary",
    "WorkerOptions": "--tasks secret.module",
    "KeyName": "jos-laptop",
    "PictureBuckets": "secret-pictures",
    "VpcId": "vpc-0123456789abcdef0",
    "SubnetIds": "subnet-0123456789abcdef0",
    "ThirdInstanceType": "",
}
SECRETS = (
    *("opensesame", "AKIAFILE000000000001", "210987654321", "123456789012", "our-secret-project", "secret-role"),
    *("jo-doe-phone", "corporation-secret", "jo.doe", "secret-topic", "1234567890ab", "secret-boundary"),
    *("secret.module", "jos-laptop", "secret-pictures", "vpc-", "subnet-", "the-other-profile"),
)


@pytest.fixture
def secrets(aws: AwsLab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In the environment, in AWS's files, and in the stack's parameters."""
    config, keys = tmp_path / "config", tmp_path / "credentials"
    config.write_text(CONFIG, encoding="utf-8")
    keys.write_text(KEYS, encoding="utf-8")
    files = {"AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": str(keys)}
    enter(monkeypatch, aws.environment | files)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(Stack, "parameters", lambda _: PARAMETERS)


def test_a_report_holds_none_of_the_secrets(secrets: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a check quotes, neither keys nor names of people, projects and networks are in what is sent away."""
    quoted = " ".join([CONFIG, KEYS, *ENVIRONMENT.values()])
    monkeypatch.setattr("cli.stage.doctor._all", lambda *_: [problem("credentials", quoted)])
    monkeypatch.setattr(Stack, "status", lambda _: f"CREATE_COMPLETE in 123456789012: {quoted}")
    answer = CliRunner().invoke(cloudkon_cli, ["doctor", "--report"], catch_exceptions=False)
    assert answer.exit_code == 0
    assert [secret for secret in SECRETS if secret in answer.output] == []
    told = [json.loads(line) for line in answer.stdout.splitlines()]
    assert {"versions", "doctor", "region", "stack"} <= {each["about"] for each in told}
    (stack,) = [each for each in told if each["about"] == "stack"]
    assert stack["parameters"] == {
        name: value if name in ("Stage", "MaxWorkers", "ThirdInstanceType") else "<given>"
        for name, value in PARAMETERS.items()
    }
