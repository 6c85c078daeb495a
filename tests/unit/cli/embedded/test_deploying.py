import threading
from pathlib import Path

from cli.embedded.deploying import one_deploy
from tests.support.waiting import eventually


def test_a_second_deploy_of_a_repository_waits(tmp_path: Path) -> None:
    """It says that it waits, and goes on when the first has ended."""
    (tmp_path / ".chalice").mkdir()
    done: list[str] = []
    said: list[str] = []

    def second() -> None:
        with one_deploy(tmp_path, said.append):
            done.append("second")

    thread = threading.Thread(target=second)
    with one_deploy(tmp_path, said.append):
        thread.start()
        assert eventually(lambda: list(said)) == ["another command is deploying from this repository; waiting for it"]
        done.append("first")
    thread.join(10)
    assert done == ["first", "second"]


def test_deploys_of_two_repositories_mind_nothing(tmp_path: Path) -> None:
    """Each has a lock of its own."""
    said: list[str] = []
    for name in ("one", "other"):
        (tmp_path / name / ".chalice").mkdir(parents=True)
    with one_deploy(tmp_path / "one", said.append), one_deploy(tmp_path / "other", said.append):
        assert said == []
