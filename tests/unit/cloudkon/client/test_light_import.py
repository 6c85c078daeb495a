"""What a handler's module loads by importing cloudkon: it is loaded by every worker, and in every Lambda."""

import json
import subprocess
import sys

import pytest

_HEAVY = ("boto3", "botocore", "cloudkon.client", "cloudkon.local", "dispatcher", "ec2_worker", "sqlite3")
_SHOW = "import json, sys; print(json.dumps(sorted(sys.modules)))"


def loaded(code: str) -> list[str]:
    """The modules that a fresh interpreter has after the code."""
    answer = subprocess.run([sys.executable, "-c", f"{code}; {_SHOW}"], capture_output=True, text=True, check=True)
    return [str(name) for name in json.loads(answer.stdout)]


@pytest.mark.parametrize("code", ["import cloudkon", "from cloudkon import task, context, Permanent, run_program"])
def test_a_handlers_imports_load_nothing_of_the_client(code: str) -> None:
    """Neither the client, nor the worker that it starts here, nor AWS's library is loaded for a handler."""
    assert [name for name in loaded(code) if name.startswith(_HEAVY)] == []


def test_a_client_of_this_process_loads_no_aws() -> None:
    """boto3 takes half a second, which a client of this process does without."""
    names = loaded("from cloudkon import Client, Executor")
    assert "cloudkon.client.client" in names
    assert [name for name in names if name.startswith(("boto3", "botocore"))] == []
