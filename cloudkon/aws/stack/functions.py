"""Whether a Lambda function is there."""

from typing import TYPE_CHECKING

from cloudkon.aws.errors import translated
from cloudkon.errors import NotFoundError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


def function_exists(client: "LambdaClient", name: str) -> bool:
    """Whether chalice has deployed it."""
    try:
        with translated(f"look for the function {name}"):
            client.get_function_configuration(FunctionName=name)
    except NotFoundError:
        return False
    return True
