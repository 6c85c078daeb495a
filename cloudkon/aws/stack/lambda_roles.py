"""Makes the roles of the Lambda where the account demands a permissions boundary, which Chalice can't give.

Chalice takes a role that bears the name of its own as it is, and keeps its policy.
"""

import json
from typing import TYPE_CHECKING

from cloudkon.aws.errors import translated
from cloudkon.errors import NotFoundError
from cloudkon.stage.names import Names

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def bind_roles(client: "IAMClient", names: Names, boundary: str) -> None:
    """Let the role of each function be there, with the boundary."""
    for role in names.functions:  # Chalice calls a role after its function
        try:
            with translated(f"describe the role {role}"):
                found = client.get_role(RoleName=role)["Role"]
        except NotFoundError:
            with translated(f"make the role {role}"):
                client.create_role(
                    RoleName=role, AssumeRolePolicyDocument=json.dumps(_TRUST), PermissionsBoundary=boundary
                )
            continue
        if found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn") != boundary:
            with translated(f"bind the role {role}"):
                client.put_role_permissions_boundary(RoleName=role, PermissionsBoundary=boundary)
