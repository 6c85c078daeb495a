"""What AWS refuses and ministack lets pass, refused as AWS does: of the Lambda's triggers, and of permissions."""

import json
import re
from typing import Any

from ministack.core import iam_actions
from ministack.core.responses import error_response_json
from ministack.services import lambda_svc, s3


def refuse_second_mappings() -> None:
    """One mapping from a queue to a function: another is ResourceConflictException.

    github.com/aws/chalice/issues/2146, github.com/DataBiosphere/azul/issues/1547;
    https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
    """
    create = lambda_svc._create_esm

    def create_esm(data: dict[str, Any]) -> Any:
        source, function = data.get("EventSourceArn", ""), data.get("FunctionName", "").rpartition(":")[2]
        for standing in lambda_svc._esms.values():
            if (standing["EventSourceArn"], standing["FunctionName"]) == (source, function):
                return error_response_json(
                    "ResourceConflictException",
                    f'An event source mapping with SQS arn (" {source} ") and function (" {function} ") already '
                    f"exists. Please update or delete the existing mapping with UUID {standing['UUID']}",
                    409,
                )
        return create(data)

    lambda_svc._create_esm = create_esm


def doubt_fresh_permissions() -> None:
    """S3 does not know of a function's permission at once: the first notification that follows one is refused.

    github.com/zappa/Zappa/pull/1441, github.com/milliHQ/terraform-aws-next-js/issues/235: "Unable to validate the
    following destination configurations", "typically on the first deployment of a new environment".
    """
    fresh: set[str] = set()
    add, put = lambda_svc._add_permission, s3._put_bucket_notification

    def add_permission(name: str, data: dict[str, Any], *more: Any) -> Any:
        answer = add(name, data, *more)
        if answer[0] < 300 and data.get("Principal") == "s3.amazonaws.com":
            fresh.add(name)
        return answer

    def put_bucket_notification(name: str, body: bytes, headers: dict[str, str] | None = None) -> Any:
        doubted = {function for function in fresh if f":function:{function}<".encode() in body}
        if doubted:
            fresh.difference_update(doubted)
            return s3._error("InvalidArgument", "Unable to validate the following destination configurations", 400)
        return put(name, body, headers)

    lambda_svc._add_permission = add_permission
    s3._put_bucket_notification = put_bucket_notification


_STATEMENT = re.compile(
    r"\s*(INSERT INTO|UPDATE|DELETE FROM|SELECT\b.*?\bFROM)\s+\"?([\w.-]+)", re.IGNORECASE | re.DOTALL
)
_BATCHES = {"dynamodb:BatchExecuteStatement": "Statements", "dynamodb:ExecuteTransaction": "TransactStatements"}


def ask_for_partiql_actions() -> None:
    """A batch of statements is no action: each statement is asked for as dynamodb:PartiQLInsert, of its own table.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html
    """
    checks = iam_actions.dynamodb_transaction_checks

    def each_for_itself(action: str, body: bytes, region: str, account: str) -> Any:
        if action not in _BATCHES:
            return checks(action, body, region, account)
        statements = [_STATEMENT.match(each["Statement"]) for each in json.loads(body)[_BATCHES[action]]]
        return [
            (
                f"dynamodb:PartiQL{told[1].split()[0].capitalize()}",
                f"arn:aws:dynamodb:{region}:{account}:table/{told[2]}",
            )
            for told in statements
            if told is not None
        ]

    iam_actions.dynamodb_transaction_checks = each_for_itself


_ENCRYPTION, _KEY = "x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id"


def ask_for_keys() -> None:
    """Whoever reads or writes an object that KMS encrypts by a key of the account's needs the key too, by way of S3.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
    """
    checks, resources = iam_actions.s3_additional_checks, iam_actions.s3_access_point_resources

    def with_keys(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Any:
        found = checks(method, path, headers, body, query)
        if method in ("PUT", "POST") and headers.get(_ENCRYPTION) == "aws:kms":
            found.append(("kms:GenerateDataKey", headers[_KEY]))
        elif method == "GET" and (key := _key_of(path, query.get("versionId"))):
            found.append(("kms:Decrypt", key))
        return found

    def by_way_of_s3(arn: str) -> Any:
        if arn.startswith("arn:aws:kms:"):
            return [(arn, {"kms:ViaService": f"s3.{arn.split(':')[3]}.amazonaws.com"})]
        return resources(arn)

    iam_actions.s3_additional_checks = with_keys
    iam_actions.s3_access_point_resources = by_way_of_s3


def _key_of(path: str, version: Any) -> str | None:
    """The key by which an object is encrypted; None for an object that is not, and for what is no object."""
    bucket, _, key = path.lstrip("/").partition("/")
    wanted = version[0] if isinstance(version, list) else version
    kept = [each for each in s3._object_versions.get((bucket, key), []) if each["version_id"] == wanted]
    found = kept[0] if kept else (s3._ensure_bucket(bucket) or {"objects": {}})["objects"].get(key)
    told: dict[str, str] = (found or {}).get("preserved_headers", {})
    return told.get(_KEY) if told.get(_ENCRYPTION) == "aws:kms" else None
