"""One DynamoDB table of pk and sk: conditional writes whose refusal is an answer, and queries read to their end.

Expressions write every attribute as #name: DynamoDB reserves some 570 words, `state`, `token` and `lines` among them.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from cloudkon.aws.errors import error_code, translated
from cloudkon.errors import UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import QueryInputTypeDef

Item = Mapping[str, Any]
"""A row as the low-level client speaks it: {"attempt": {"N": "1"}}."""
NEW = "attribute_not_exists(#pk)"
_ATTRIBUTE = re.compile(r"#(\w+)")
MAX_BATCH_STATEMENTS = 25
"""https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchExecuteStatement.html"""
_REFUSED = "ConditionalCheckFailedException"


@dataclass(frozen=True, slots=True)
class Written:
    """The condition held; the row as it stands now."""

    item: Item


@dataclass(frozen=True, slots=True)
class Refused:
    """The condition did not hold; the row that stands, None if there is none."""

    item: Item | None


@dataclass(frozen=True, slots=True)
class Statement:
    """A write in PartiQL, with a value for each of its question marks."""

    text: str
    values: Sequence[Item]


@lru_cache(maxsize=256)
def _names(*expressions: str) -> Mapping[str, str]:
    return {f"#{name}": name for expression in expressions for name in _ATTRIBUTE.findall(expression)}


class Table:
    """Only the failure of a condition is a Refused; every other error is raised, translated."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self.name = name

    def put(self, item: Item, condition: str = NEW, values: Item | None = None) -> Written | Refused:
        """Write a whole row if the condition holds of the one that stands."""
        given: Any = {"ExpressionAttributeValues": values} if values else {}
        with translated(f"write to the table {self.name}"):
            try:
                self._client.put_item(
                    TableName=self.name,
                    Item=item,
                    ConditionExpression=condition,
                    ExpressionAttributeNames=_names(condition),
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **given,
                )
            except ClientError as error:
                return _refusal(error)
        return Written(item)

    def update(self, key: Item, change: str, condition: str, values: Item) -> Written | Refused:
        """Change a row if the condition holds of it; both answers cost one write and no read."""
        with translated(f"write to the table {self.name}"):
            try:
                answer = self._client.update_item(
                    TableName=self.name,
                    Key=key,
                    UpdateExpression=change,
                    ConditionExpression=condition,
                    ExpressionAttributeNames=_names(change, condition),
                    ExpressionAttributeValues=values,
                    ReturnValues="ALL_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as error:
                return _refusal(error)
            return Written(answer["Attributes"])

    def write_each(self, statements: Sequence[Statement]) -> Sequence[str]:
        """Run PartiQL writes, each for itself, in one call for 25 of them; "" for each that ran, or its error's code.

        A write costs what it costs alone, and is refused or throttled alone, inside an answer that is a success.
        https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchStatementError.html
        """
        codes: list[str] = []
        for start in range(0, len(statements), MAX_BATCH_STATEMENTS):
            some = statements[start : start + MAX_BATCH_STATEMENTS]
            with translated(f"write to the table {self.name}"):
                answer = self._client.batch_execute_statement(
                    Statements=[{"Statement": each.text, "Parameters": list(each.values)} for each in some]
                )
            said = answer.get("Responses", [])
            if len(said) != len(some):
                raise UnavailableError(f"The table {self.name} answered {len(said)} of {len(some)} writes.")
            codes += [each["Error"].get("Code", "unknown") if "Error" in each else "" for each in said]
        return codes

    def get(self, key: Item) -> Item | None:
        with translated(f"read from the table {self.name}"):
            return self._client.get_item(TableName=self.name, Key=key, ConsistentRead=True).get("Item")

    def query(self, pk: str, prefix: str = "", *, limit: int | None = None, latest: bool = False) -> Iterator[Item]:
        """The rows of a partition whose sk begins with the prefix, in its order, a page in memory at a time.

        Reads are consistent: what a write has been confirmed for is counted. At half a read unit more for each
        4 KiB, a million tasks in bundles of 64 are read for a twentieth of a cent.
        """
        condition = "#pk = :pk AND begins_with(#sk, :sk)" if prefix else "#pk = :pk"
        ask: QueryInputTypeDef = {
            "TableName": self.name,
            "KeyConditionExpression": condition,
            "ExpressionAttributeNames": _names(condition),
            "ExpressionAttributeValues": {":pk": {"S": pk}} | ({":sk": {"S": prefix}} if prefix else {}),
            "ConsistentRead": True,
            "ScanIndexForward": not latest,
        }
        if limit is not None:
            ask["Limit"] = limit
        while True:
            with translated(f"read from the table {self.name}"):
                page = self._client.query(**ask)
                items = page["Items"]
            yield from items
            if not (last := page.get("LastEvaluatedKey")):
                return
            ask["ExclusiveStartKey"] = last


def _refusal(error: ClientError) -> Refused:
    """Read the row that stood in the way out of a failed condition; raise any other error again."""
    if error_code(error) == _REFUSED:
        item: Any = error.response.get("Item")
        return Refused(item)
    raise error
