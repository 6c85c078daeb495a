import ast
import json
import os
from pathlib import Path
from typing import Any

import pytest

CONFIG: dict[str, Any] = json.loads(Path(".chalice/config.json").read_text(encoding="utf-8"))


def pins(path: str) -> set[str]:
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def test_requirements_are_the_locked_ones() -> None:
    """The Lambda ships the very versions that the tests run with, each pinned exactly."""
    assert pins("requirements.txt") <= pins("constraints.txt")
    assert all("==" in pin for pin in pins("constraints.txt"))


@pytest.mark.parametrize("package", ["cloudkon", "dispatcher"])
def test_vendor_links_are_relative(package: str) -> None:
    """Chalice packs vendor/, whose links stay right in any clone."""
    assert os.readlink(f"vendor/{package}") == f"../{package}"  # noqa: PTH115 (the text of the link matters)


def test_every_handler_is_named_in_app() -> None:
    """Chalice calls a handler app.<function>: app.py imports each decorated function of the dispatcher."""
    functions = ast.parse(Path("dispatcher/app.py").read_text(encoding="utf-8")).body
    handlers = {
        f.name
        for f in functions
        if isinstance(f, ast.FunctionDef) and any(ast.unparse(d).startswith("app.") for d in f.decorator_list)
    }
    imported = {
        name.name
        for node in ast.parse(Path("app.py").read_text(encoding="utf-8")).body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }
    assert handlers | {"app"} == imported


@pytest.mark.parametrize("stage", CONFIG["stages"])
def test_policies_stay_in_their_stage(stage: str) -> None:
    """Every statement allows actions on resources of its own stage only, but for traces and for keys of yours.

    X-Ray has no resource that these actions could be bound to:
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
    """
    assert CONFIG["stages"][stage]["environment_variables"]["CLOUDKON_STAGE"] == stage
    policy = json.loads(Path(".chalice", CONFIG["stages"][stage]["iam_policy_file"]).read_text(encoding="utf-8"))
    for statement in policy["Statement"]:
        assert statement["Effect"] == "Allow"
        assert "*" not in statement["Action"]
        if statement["Sid"] == "UseKeysOfYours":  # whose key that is, the key's own policy says
            assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
            assert statement["Condition"]["StringLike"]["kms:ViaService"]
            continue
        if statement["Sid"] == "Trace":
            assert statement["Action"] == ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
            continue
        assert all(f"cloudkon-{stage}-" in resource for resource in statement["Resource"])


def test_policies_differ_by_stage_only() -> None:
    """What the Lambda may do is the same in every stage."""
    texts = {
        Path(".chalice", settings["iam_policy_file"])
        .read_text(encoding="utf-8")
        .replace(f"cloudkon-{stage}-", "cloudkon-")
        for stage, settings in CONFIG["stages"].items()
    }
    assert len(texts) == 1
