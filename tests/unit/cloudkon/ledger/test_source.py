"""What a job's source is, and how it is shown."""

import pytest

from cloudkon.ledger.job import Source

_BUCKET = "cloudkon-dev-workloads-123456789012-eu-central-1"


@pytest.mark.parametrize(
    ("bucket", "key", "pinned", "is_file"),
    [
        ("LOCAL", "/home/ada/tasks.txt", False, True),
        ("cloudkon-dev-tasks", "/home/ada/tasks.txt", False, True),
        ("some-queue", "/home/ada/tasks.txt", False, True),
        (_BUCKET, "/nightly/tasks.txt", True, False),
        (_BUCKET, "/nightly/tasks.txt", False, False),
        ("bucket-of-another-name", "/nightly/tasks.txt", True, False),
        (_BUCKET, "local-nightly.txt", True, False),
        (_BUCKET, "folder/", True, False),
        (_BUCKET, "//", False, False),
        ("cloudkon-a-2-workloads-000000000000-us-gov-west-1", "/x", False, False),
    ],
)
def test_a_file_is_told_from_an_object_whatever_the_key(bucket: str, key: str, pinned: bool, is_file: bool) -> None:  # noqa: FBT001 (a table)
    """A key that begins with a slash is a file's path only if it was not dropped into a stage's bucket."""
    assert Source(bucket, key, "v", 0, pinned).is_file is is_file


@pytest.mark.parametrize("evil", ["x\x1b]0;PWNED\x07\x1b[2Jy.txt", "a\u202etxt.exe", "a\nb", "a\u2066b", "\x00\x9b"])
def test_a_source_is_shown_without_what_moves_a_terminal(evil: str) -> None:
    """Control characters, line breaks and bidirectional controls of a key never reach a terminal or a log."""
    for bucket in ("LOCAL", _BUCKET):
        assert str(Source(bucket, evil, "v", 0)).isprintable()
