"""The comparison as a person runs it, made small."""

from pathlib import Path

import pytest

from bench.__main__ import main


def test_a_quick_run_compares_what_needs_no_installation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the peers' environment, CloudKon and the standard library are measured, and what is missing is said."""
    assert main(["peers", "tails", "--quick", "--rounds", "1", "--environment", str(tmp_path)]) == 0
    shown, said = capsys.readouterr()
    table = [line.split(" | ")[0].strip("| ") for line in shown.splitlines() if line.startswith("| ")]
    assert table == ["program", "---", "CloudKon", "ThreadPoolExecutor, map", "multiprocessing.Pool, chunks of 64"]
    assert "celery" in said.partition("\n")[0]


def test_an_unknown_experiment_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A name that there is not ends with 2 and the names that there are."""
    with pytest.raises(SystemExit, match="2"):
        main(["peers", "nothing"])
    assert "efficiency" in capsys.readouterr().err


def test_without_names_nothing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are optional: what is kept is published without measuring anything."""
    published: list[bool] = []
    monkeypatch.setattr("bench.peers.__main__.publish", lambda: published.append(True))
    assert main(["peers", "--publish", "--environment", str(tmp_path)]) == 0
    assert published == [True]
