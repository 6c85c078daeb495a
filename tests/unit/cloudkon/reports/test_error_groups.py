"""What belongs to one reason."""

import pytest

from cloudkon.reports.error_groups import OTHER_REASONS, error_contains, error_reason, group_errors


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("KeyError: 'user 17'", "KeyError: 'user <n>'"),
        ("took 1,234.5 ms of 30 s", "took <n> ms of <n> s"),
        ("exit code 137", "exit code 137"),
        ("HTTP 503 for item 12", "HTTP 503 for item <n>"),
        ("HTTP/1.1 404", "HTTP/1.1 404"),
        ("HTTP Error 503: Service Unavailable", "HTTP Error 503: Service Unavailable"),
        (
            "HTTPError: 503 Server Error: busy for url: http://h/7",
            "HTTPError: 503 Server Error: busy for url: http://h/<n>",
        ),
        ("Server error '503 Service Unavailable' for url 7", "Server error '503 Service Unavailable' for url <n>"),
        ("1503 Server Errors", "<n> Server Errors"),
        ("[Errno 28] No space left on /data/7", "[Errno 28] No space left on /data/<n>"),
        ("no object at 0x7f3a9c", "no object at <id>"),
        ("request 1b4e28ba-2fa1-11d2-883f-0016d3cca427 failed", "request <id> failed"),
        ("commit 3f2a9c1d8e is gone", "commit <id> is gone"),
        ("the deadbeef cafe is closed", "the deadbeef cafe is closed"),
        ("boom\n  at line 3\n", "boom at line <n>"),
        ("x" * 300, f"{'x' * 66} ... {'x' * 129}"),
    ],
)
def test_numbers_and_ids_of_a_reason_are_folded(error: str, reason: str) -> None:
    """Numbers and ids are folded; codes and words that merely look like ids are not."""
    assert error_reason(error) == reason


def outcome(task: int, state: str = "failed", error: str = "boom 1") -> dict[str, object]:
    return {"task": task, "state": state, "error": error}


def test_the_most_frequent_reason_comes_first() -> None:
    """The most frequent reason comes first, with its first lines and the first error as it is."""
    found = [outcome(n, error=f"boom {n}") for n in range(2, 9)]
    groups = group_errors(
        [outcome(1, error="bang"), *found, outcome(9, "rejected", "boom 9"), outcome(10, "succeeded")]
    )
    assert [(group.state, group.reason, group.count) for group in groups] == [
        ("failed", "boom <n>", 7),
        ("failed", "bang", 1),
        ("rejected", "boom <n>", 1),
    ]
    assert (groups[0].example, groups[0].lines) == ("boom 2", [2, 3, 4, 5, 6])


def test_a_group_of_equal_errors_shows_the_error_itself() -> None:
    """Numbers are left out only where they differ: what one task says, or all say alike, is shown as it is."""
    alike = group_errors(outcome(line, error="timeout=7: a time such as 90s was expected") for line in (1, 2))
    assert [group.text for group in alike] == ["timeout=7: a time such as 90s was expected"]
    different = group_errors(outcome(line, error=f"item {line} is gone") for line in (1, 2))
    assert [group.text for group in different] == ["item <n> is gone"]


def test_a_thousand_reasons_are_told_apart() -> None:
    """A thousand reasons are told apart, the rest is counted together."""
    words = [f"{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}{chr(97 + n // 676)}" for n in range(1_200)]
    groups = group_errors(outcome(n, error=word) for n, word in enumerate(words))
    assert (groups[0].reason, groups[0].count, len(groups)) == (OTHER_REASONS, 200, 1_001)


def test_a_text_is_looked_for_in_error_and_reason() -> None:
    """A text is looked for in the error itself and in its reason, whatever its case."""
    assert error_contains(outcome(1), "BOOM")
    assert error_contains(outcome(1), "boom <n>")
    assert error_contains(outcome(1), "boom 1")
    assert not error_contains(outcome(1), "bang")


def test_long_errors_are_told_apart_by_their_ends() -> None:
    """What a program prints says at its end why it failed: two ends are two reasons, and each is shown."""
    begun = "exit code 1: Traceback (most recent call last): " + "File x.py in <module> " * 20
    ends = ["ValueError: no number", "KeyError: 'b'"]
    groups = group_errors({"task": n, "state": "failed", "error": begun + end} for n, end in enumerate(ends, start=1))
    assert [group.count for group in groups] == [1, 1]
    for group, end in zip(groups, ends, strict=True):
        assert len(group.reason) <= 200
        assert group.reason.startswith("exit code 1: Traceback")
        assert group.reason.endswith(end)
