"""BatchExecuteStatement as moto does not play it: its INSERT overwrites, and question marks fail in its UPDATE.

The two forms of statement that the ledger writes, as DynamoDB has them: an INSERT over a row that stands is a
DuplicateItem, an UPDATE whose WHERE does not hold of its row is a ConditionalCheckFailed, and each statement stands for
itself inside an answer that is a success.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.insert.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.update.html
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchStatementError.html
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from moto.dynamodb.exceptions import ConditionalCheckFailed
from moto.dynamodb.models import DynamoDBBackend

MAX_STATEMENTS = 25
_INSERT = re.compile(r"INSERT INTO \"([\w.-]+)\" VALUE \{((?:'\w+': \?(?:, )?)+)\}")
_UPDATE = re.compile(r"UPDATE \"([\w.-]+)\" ((?:SET \"\w+\" = \? )+)WHERE ((?:\"\w+\" = \?(?: AND )?)+)")
_NAME = re.compile(r"\w+(?=[\"'])")


def execute(backend: DynamoDBBackend, statements: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Run each statement for itself; a form that is not known here is a bug of the test's."""
    assert 1 <= len(statements) <= MAX_STATEMENTS, len(statements)
    return [_execute(backend, each["Statement"], each["Parameters"]) for each in statements]


def _execute(backend: DynamoDBBackend, statement: str, values: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    if insert := _INSERT.fullmatch(statement):
        table, names = insert[1], _NAME.findall(insert[2])
        item = dict(zip(names, values, strict=True))
        return _tried("DuplicateItem", lambda: backend.put_item(table, item, None, "attribute_not_exists(pk)", {}, {}))
    update = _UPDATE.fullmatch(statement)
    assert update is not None, statement
    table, changed, asked = update[1], _NAME.findall(update[2]), _NAME.findall(update[3])
    assert len(values) == len(changed) + len(asked), statement
    where = dict(zip(asked, values[len(changed) :], strict=True))
    key = {"pk": where.pop("pk"), "sk": where.pop("sk")}
    aliases = {f"#{name}": name for name in (*changed, *where)}
    bound = {f":new_{name}": value for name, value in zip(changed, values, strict=False)}
    bound |= {f":is_{name}": value for name, value in where.items()}
    change = "SET " + ", ".join(f"#{name} = :new_{name}" for name in changed)
    condition = " AND ".join(["attribute_exists(pk)", *(f"#{name} = :is_{name}" for name in where)])
    return _tried(
        "ConditionalCheckFailed",
        lambda: backend.update_item(table, key, change, aliases, bound, condition_expression=condition),
    )


def _tried(code: str, act: Any) -> dict[str, Any]:
    try:
        act()
    except ConditionalCheckFailed:
        return {"Error": {"Code": code, "Message": "The conditional request failed"}}
    return {}
