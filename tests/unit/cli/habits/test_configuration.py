"""What a configuration file says, and what counts."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.habits.keys import KEYS, SETTINGS
from cli.main import cloudkon_cli

VARIABLES = {variable for key in (*KEYS.values(), *SETTINGS.values()) for variable in key.variables}
HANDLERS = """from cloudkon import task

@task
def where(): return __file__
"""


@pytest.fixture(autouse=True)
def _nothing_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES | {"CLOUDKON_PROFILE"}:
        monkeypatch.setenv(name, "x")  # so that it is put back, whatever a command sets
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "project" / "below").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "project")


def write(text: str, name: str = "cloudkon.toml") -> None:
    Path(name).write_text(text, encoding="utf-8")


def run(*arguments: str) -> Result:
    kept = dict(os.environ)
    answer = CliRunner().invoke(cloudkon_cli, [*arguments], catch_exceptions=False)
    for name in VARIABLES:
        os.environ.pop(name, None)
    os.environ.update(kept)
    return answer


def shown(*before: str) -> dict[str, tuple[str, str]]:
    """Each value with its source, the folder of the file left out."""
    answer = run(*before, "config", "show", "--json")
    assert answer.exit_code == 0, answer.stderr
    told = json.loads(answer.stdout)
    return {name: (each["value"], each["from"].rpartition("/")[2]) for name, each in told.items()}


def test_without_a_file_the_defaults_count() -> None:
    """Every key is shown with its default, and none of the settings."""
    told = shown()
    assert told.keys() == KEYS.keys()
    assert {source for _, source in told.values()} == {"default"}
    assert "There is no cloudkon.toml here" in run("config", "show").stderr


def test_a_profile_goes_before_the_file_and_the_environment_before_both(monkeypatch: pytest.MonkeyPatch) -> None:
    """Option, environment, profile, file, default: the first that says something counts, and is named."""
    write(
        'stage = "dev2"\nregion = "eu-central-1"\nthreads = 3\nretries = 1\n[settings]\nlease_s = 60\n'
        '[profiles.night]\nstage = "prod"\nthreads = 9\n[profiles.night.settings]\nlease_s = 90\n'
    )
    told = shown()
    assert told["stage"] == ("dev2", "cloudkon.toml")
    assert told["settings.lease_s"] == ("60", "cloudkon.toml, [settings]")
    monkeypatch.setenv("CLOUDKON_PROFILE", "night")
    told = shown()
    assert told["stage"] == ("prod", "cloudkon.toml, [profiles.night]")
    assert told["threads"] == ("9", "cloudkon.toml, [profiles.night]")
    assert told["retries"] == ("1", "cloudkon.toml")
    assert told["settings.lease_s"] == ("90", "cloudkon.toml, [profiles.night.settings]")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    monkeypatch.setenv("CLOUDKON_LEASE_S", "100")
    told = shown("--config-profile", "night")
    assert told["region"] == ("us-west-2", "environment: AWS_DEFAULT_REGION")
    assert told["settings.lease_s"] == ("100", "environment: CLOUDKON_LEASE_S")
    assert "Profiles: night; in use: night." in run("config", "show").stderr


def test_the_nearest_file_counts_and_pyproject_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of a folder above counts below it, until a nearer one; a pyproject.toml without our table is none."""
    write('stage = "above"\n')
    monkeypatch.chdir("below")
    write('[tool.other]\nabout = "tool.cloudkon"\n', "pyproject.toml")
    assert shown()["stage"] == ("above", "cloudkon.toml")
    write('[tool.cloudkon]\nstage = "near"\n', "pyproject.toml")
    assert shown()["stage"] == ("near", "pyproject.toml")
    write('stage = "own"\n')
    assert shown()["stage"] == ("own", "cloudkon.toml")


def test_a_run_takes_its_options_from_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads, modules and the data folder of a run are the file's, from a folder below it, too; options win."""
    write('home = "data"\nthreads = 3\nretries = 1\ntasks = ["habit_tasks.py"]\n')
    write(HANDLERS, "habit_tasks.py")
    monkeypatch.chdir("below")
    write("where\n", "list.txt")
    assert run("run", "LOCAL", "list.txt").exit_code == 0
    assert (tmp_path / "project/data/ledger.sqlite3").exists()
    told = json.loads(run("stats", "--json").stdout)
    assert [worker["slots"] for worker in told["workers"]] == [3]
    assert run("run", "LOCAL", "list.txt", "-t", "2").exit_code == 0
    assert [worker["slots"] for worker in json.loads(run("stats", "--json").stdout)["workers"]] == [2]
    value = json.loads(run("results", "--json").stdout)["value"]
    assert value == str(tmp_path / "project/habit_tasks.py")


def test_what_a_file_says_of_local_runs_is_no_mistake_on_a_queue() -> None:
    """Defaults for LOCAL don't refuse a run on a queue, as typing them would."""
    write("retries = 3\nprocesses = 2\n")
    write("sleep 0\n", "list.txt")
    assert "is for LOCAL" not in run("run", "queue", "list.txt", "--dry-run").stderr
    assert "--retries is for LOCAL" in run("run", "queue", "list.txt", "--retries", "1").stderr


def test_a_file_that_anybody_could_have_put_there_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder that everybody may write to, such as /tmp, somebody else's file says nothing."""
    write('stage = "trap"\n')
    Path().chmod(0o1777)
    assert shown()["stage"] == ("trap", "cloudkon.toml")
    monkeypatch.setattr(os, "getuid", lambda: 12_345)
    assert shown()["stage"] == ("dev", "default")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("thraeds = 3", "cloudkon.toml: there is nothing called 'thraeds' to be set; did you mean threads."),
        ("[profiles.night]\nregoin = 'x'", "cloudkon.toml, [profiles.night]: there is nothing called 'regoin'"),
        ("[settings]\nlease = 3", "cloudkon.toml, [settings]: there is nothing called 'lease' to be set; did you mean"),
        ("threads = 0", "cloudkon.toml: threads = 0: a whole number from 1 was expected."),
        ("threads = true", "threads = True: a whole number from 1 was expected."),
        ("threads = '3'", "threads = '3': a whole number from 1 was expected."),
        ("keep_logs = 1", "keep_logs = 1: true or false was expected."),
        ("tasks = 3", "tasks = 3: a module or a list of modules was expected"),
        ("stage = 'Not A Stage!'", "cloudkon.toml: stage = 'Not A Stage!': "),
        ("region = ''", "region = '': text was expected."),
        ("allow = ['shell']", "allow can't be set: what may be run is said each time, by --allow"),
        ("profile = 'x'", "profile can't be set: AWS's profile is aws_profile here"),
        ("profiles = 3", "profiles are tables"),
        ("settings = 3", "settings is a table"),
        ("threads = ", "cloudkon.toml is not valid TOML: Invalid value (at "),
        ("\xff", "is not valid TOML"),
    ],
)
def test_a_mistake_in_a_file_is_told_with_its_place(text: str, told: str) -> None:
    """Every command ends with 2 and one line that names the file, the table and the key."""
    Path("cloudkon.toml").write_bytes(text.encode("latin-1"))
    answer = run("jobs")
    assert answer.exit_code == 2
    assert told in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
    assert run("jobs", "--help").exit_code == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[profiles.night]\n", "cloudkon.toml has no profile 'nigth'; did you mean night."),
        ("", "cloudkon.toml has no profile 'nigth'."),
        (None, "There is no profile 'nigth': no cloudkon.toml is here, or in a folder above."),
    ],
)
def test_a_profile_that_is_not_there_is_refused(text: str | None, told: str) -> None:
    """A profile that is named has to exist."""
    if text is not None:
        write(text)
    answer = run("--config-profile", "nigth", "jobs")
    assert answer.exit_code == 2
    assert told in answer.stderr
