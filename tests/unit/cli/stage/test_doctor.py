import json
import subprocess
import sys
from importlib.util import find_spec

import pytest
from click.testing import CliRunner

from cli.main import cloudkon_cli
from cli.stage.findings import show_findings
from cli.stage.this_machine import check_machine
from cli.terminal.output import Output
from cloudkon.stage.checkup import CheckResult, Verdict, check_python


def test_this_machine_is_well() -> None:
    """Where everything is installed nothing is missing, and a video can be made."""
    answer = CliRunner().invoke(cloudkon_cli, ["doctor", "--machine", "--json"])
    found = {line["subject"]: line["verdict"] for line in map(json.loads, answer.stdout.splitlines())}
    assert answer.exit_code == 0
    assert found["animoto"] == found["ffmpeg"] == "ok"


def test_what_is_not_installed_is_named() -> None:
    """Each extra that is missing is told with what it is for and how to get it."""
    found = {
        finding.subject: finding for finding in check_machine(lambda name: None if name == "PIL" else find_spec(name))
    }
    assert found["animoto"].verdict is Verdict.ABSENT
    assert found["animoto"].says == "Not installed: PIL. With it, videos can be made."
    assert "cloudkon[animoto]" in found["animoto"].remedy


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ([Verdict.OK, Verdict.ABSENT, Verdict.OK], "No problem, 2 ok, 1 absent.\n"),
        ([Verdict.PROBLEM], "1 problem.\n"),
        ([Verdict.UNKNOWN, Verdict.PROBLEM, Verdict.PROBLEM], "2 problems, 1 unknown.\n"),
    ],
)
def test_problems_are_counted_and_only_they_fail_the_doctor(
    verdicts: list[Verdict], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the end the problems are counted, and the rest; only a problem makes it unwell."""
    is_well = show_findings([CheckResult("one", verdict, "so it is") for verdict in verdicts], output=Output())
    assert is_well == (Verdict.PROBLEM not in verdicts)
    assert capsys.readouterr().err == said


def test_without_a_region_the_doctor_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a region the doctor says what to set, and ends with 1."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    answer = CliRunner().invoke(cloudkon_cli, ["doctor"])
    assert answer.exit_code == 1
    assert "problem  credentials" in answer.stdout
    assert "-> Set AWS_REGION, such as eu-central-1." in answer.stdout


def test_the_console_script_without_click() -> None:
    """Without its extra the console script says in one line what to install."""
    code = "import sys; sys.modules['click'] = None; from cli.entry import main; main()"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert answer.stderr.splitlines() == [
        "Error: the command line needs click, which is not installed: pip install 'cloudkon[cli]'"
    ]


def test_an_old_python_is_a_problem_wherever_it_is_found() -> None:
    """doctor and the worker's own check ask the same question, and say what to do."""
    found = check_python((3, 10, 12))
    assert (found.verdict, found.says) == (Verdict.PROBLEM, "This is Python 3.10.12.")
    assert "3.11" in found.remedy
    assert check_python((3, 11, 0)).verdict is Verdict.OK
