import pytest

from cloudkon.aws.stack.lambda_roles import bind_roles
from cloudkon.stage.names import Names
from tests.support.emulators.moto_aws import AwsLab, enter
from tests.support.emulators.remains import ALLOWED

NAMES = Names("bound", "123456789012", "eu-central-1")


def test_the_lambdas_roles_have_the_boundary(aws: AwsLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Roles that are not there are made with it, and those that are get it; done again, nothing changes."""
    enter(monkeypatch, aws.environment)
    iam = aws.session.iam()
    boundary, other = (
        iam.create_policy(
            PolicyName=f"boundary-{number}",
            PolicyDocument=ALLOWED,
        )["Policy"]["Arn"]
        for number in (1, 2)
    )
    for asked in (other, boundary, boundary):
        bind_roles(iam, NAMES, asked)
        for role in NAMES.functions:
            found = iam.get_role(RoleName=role)["Role"]
            assert found["PermissionsBoundary"]["PermissionsBoundaryArn"] == asked
            assert "lambda.amazonaws.com" in str(found["AssumeRolePolicyDocument"])
            assert not iam.list_role_policies(RoleName=role)["PolicyNames"]
