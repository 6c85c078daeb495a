"""Whatever form a workload has, what becomes of its lines is exact."""

import gzip
import json
from typing import Any

import pytest

from tests.support.worlds.jobs import JobDesk
from tests.support.worlds.workers import WorkerProcess

BOM = b"\xef\xbb\xbf"
LONG = 200 * 1024
OVER_LONG = f"the line has {LONG + 1:,} bytes; the most is {LONG:,}"
UNKNOWN = "no handler is named 'nosuch' (this worker knows "
OK = "succeeded"
# key: (body, what becomes of each task by its line: "succeeded", a value, or an error)
FORMS: dict[str, tuple[bytes, dict[int, Any]]] = {
    "plain.txt": (b"sleep 0\nsleep 0\n", {1: OK, 2: OK}),
    "no break at the end.txt": (b"sleep 0\nsleep 0", {1: OK, 2: OK}),
    "crlf.txt": (b"sleep 0\r\n\r\n# a comment\r\necho x\r\n", {1: OK, 4: {"words": ["x"]}}),
    "bom.txt": (BOM + b"sleep 0\nsleep 0\n", {1: OK, 2: OK}),
    "bom before json.txt": (BOM + b'{"task": "sleep", "args": [0]}\n', {1: OK}),
    "gzip by its magic number.txt": (gzip.compress(b"sleep 0\n" * 3), {1: OK, 2: OK, 3: OK}),
    "two.members.gz": (gzip.compress(b"sleep 0\n") + gzip.compress(b"sleep 0\n"), {1: OK, 2: OK}),
    "plain in spite of its name.gz": (b"sleep 0\n", {1: OK}),
    "broken.gz": (
        gzip.compress(b"sleep 0\n")[:-6],
        {1: OK, 2: "The gzip data of the workload ends early: it was probably not written or uploaded whole."},
    ),
    "padded.gz": (gzip.compress(b"sleep 0\n") + bytes(512), {1: OK}),
    "with garbage behind it.gz": (gzip.compress(b"sleep 0\n") + b"garbage", {1: OK}),
    "an archive.txt": (b"PK\x03\x04\x0a\0\0\0\nsleep 0\nsleep 0\n", {1: "The workload is a ZIP archive"}),
    "from PowerShell.txt": ("sleep 0\r\nsleep 0\r\n".encode("utf-16"), {1: "The workload is UTF-16 text"}),
    "a packed archive.gz": (gzip.compress(b"PK\x03\x04\x0a\0\nsleep 0\n"), {1: "The workload is a ZIP archive"}),
    "values.txt": (
        b'#cloudkon: retries=0 each="echo {} {.}"\n-n\n\nit\'s $x.jpg\n# c\n',
        {2: {"words": ["-n", "-n"]}, 4: {"words": ["it's $x.jpg", "it's $x"]}, 5: {"words": ["# c", "# c"]}},
    ),
    "table.csv": (
        b'#cloudkon: format=csv each="echo {b} {a}"\r\na,b\r\n"1, 2",3\r\n1\r\n',
        {3: {"words": ["3", "1, 2"]}, 4: "the row has 1 values, and the table 2 columns"},
    ),
    "a broken header.txt": (b'#cloudkon: each="echo {\nsleep 0\n', {1: "each=\"echo: its quotes don't close"}),
    "empty.txt": (b"", {}),
    "empty.gz": (gzip.compress(b""), {}),
    "comments only.txt": (b"# nothing\n\n   \n", {}),
    "over-long.txt": (b"sleep 0\necho " + b"x" * (LONG - 4) + b"\nsleep 0\n", {1: OK, 2: OVER_LONG, 3: OK}),
    "as long as can be.txt": (b"sleep 0 # " + b"x" * (LONG - 10) + b"\n", {1: "it takes at most 1 argument"}),
    "folder/a key+with ü & 日本.txt": ('echo "ein wörtchen" 日本\n'.encode(), {1: {"words": ["ein wörtchen", "日本"]}}),
    "100% of+it?.txt": (b"sleep 0\n", {1: OK}),
    "handlers.txt": (
        b'fail "no good"\nnosuch 1\n{"task": "echo", "args": [1, null], "id": "mine", "x": {"y": 2}}\n',
        {1: "ValueError: no good", 2: UNKNOWN, 3: {"words": [1, None], "x": {"y": 2}}},
    ),
}


@pytest.mark.parametrize("key", FORMS)
def test_every_line_comes_to_what_it_should(desk: JobDesk, two_workers: list[WorkerProcess], key: str) -> None:
    """The results name every line that claims to be a task, and the statistics count them."""
    body, expected = FORMS[key]
    job = desk.drop(key, body)
    stats = desk.finish(job)
    said = "The gzipped workload has more behind its end" if key == "with garbage behind it.gz" else ""
    outcomes = {outcome["task"]: outcome for outcome in desk.results(job, said)}
    assert outcomes.keys() == expected.keys()
    for line, what in expected.items():
        if isinstance(what, str) and what != OK:
            assert outcomes[line]["error"].startswith(what)
        else:
            assert outcomes[line]["state"] == OK
            assert outcomes[line].get("value", OK) == what
    states = [outcome["state"] for outcome in outcomes.values()]
    counts = {state: states.count(state) for state in ("succeeded", "failed", "rejected")}
    assert stats["tasks"] == {"total": len(expected), **counts, "running": 0, "pending": 0}
    assert stats["source"]["key"] == key


def test_a_large_value_goes_to_the_results_bucket(desk: JobDesk, two_workers: list[WorkerProcess]) -> None:
    """The ledger holds the key of a value that is too large for it, and the object holds the value."""
    word = "x" * 5_000
    job = desk.drop("large value.txt", f"echo {word}\n".encode())
    assert desk.finish(job)["tasks"]["succeeded"] == 1
    (outcome,) = desk.results(job)
    found = desk.aws.client("s3").get_object(Bucket=desk.aws.names.results_bucket, Key=outcome["output"])
    assert json.loads(found["Body"].read()) == {"words": [word]}


def test_a_workload_that_a_key_of_the_account_encrypts_runs(desk: JobDesk, two_workers: list[WorkerProcess]) -> None:
    """Dropped with SSE-KMS, it is read by the Lambda, whose role may use the key by way of S3."""
    names = desk.aws.names
    key = f"arn:aws:kms:{names.region}:{names.account}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    job = desk.drop("encrypted.txt", b"sleep 0\n", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    assert desk.finish(job)["tasks"]["succeeded"] == 1
