"""What a person is told who mistypes a command: one line, with the cure."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import cloudkon_cli

MISTAKES = {
    "run LOCAL t.txt --thread 4": "cloudkon-cli run has no option --thread. Did you mean --threads?",
    "run LOCAL t.txt --treads 4": "cloudkon-cli run has no option --treads. Did you mean --threads?",
    "run LOCAL t.txt --resum": "cloudkon-cli run has no option --resum. Did you mean --resume?",
    "run LOCAL t.txt -x": "cloudkon-cli run has no option -x. See cloudkon-cli run --help",
    "run LOCAL animoto --ordr x": "cloudkon-cli run LOCAL animoto has no option --ordr. Did you mean --order?",
    "--json run LOCAL t.txt": "cloudkon-cli has no option --json. Options of a command stand behind it: "
    "cloudkon-cli COMMAND --json.",
    "-t 4 run LOCAL t.txt": "cloudkon-cli has no option -t. Options of a command stand behind it",
    "run LOCAL t.txt -t0": "--threads: a whole number, 1 or more, is needed, not 0.",
    "run LOCAL t.txt -t four": "--threads: a whole number, 1 or more, is needed, not 'four'.",
    "run LOCAL t.txt -t": "-t needs a value after it.",
    "run LOCAL t.txt --results": "--results needs a value after it.",
    "run LOCAL t.txt --processes 0": "--processes: a whole number, 1 or more, is needed, not 0.",
    "run LOCAL t.txt --allow Shell": "--allow: 'Shell' is not one of shell. Did you mean shell?",
    "run LOCAL t.txt --tasks=": "--tasks: name a module, or its file: --tasks my_tasks",
    "run LOCAL t.txt --tasks nosuch.py": "--tasks nosuch.py: there is no file nosuch.py.",
    "run LOCAL t.txt u.txt": "Too many arguments: u.txt. Usage: cloudkon-cli run [OPTIONS] LOCAL|QUEUE [FILE].",
    "run LOCAL a b c d e f": "Too many arguments: b c d and 2 more. Usage: cloudkon-cli run [OPTIONS] "
    "LOCAL|QUEUE [FILE]. For values: cloudkon-cli run LOCAL -- COMMAND {} ::: VALUE ...",
    "run LOCAL -j 4 t.txt": "cloudkon-cli run has no option -j. Did you mean -t?",
    "run LOCAL --jobs 4 t.txt": "cloudkon-cli run has no option --jobs. Did you mean --threads?",
    "run LOCAL nosuch.txt": "nosuch.txt does not exist.",
    "run LOCAL --tasks m": "Which workload? Name its file, or - for standard input: cloudkon-cli run LOCAL FILE",
    "run t.txt": "Where is t.txt to be run? On this machine: cloudkon-cli run LOCAL t.txt",
    "run": "Missing argument 'LOCAL|QUEUE'. See cloudkon-cli run --help",
    "LOCAL t.txt -t 4": "LOCAL is a place to run at: cloudkon-cli run LOCAL t.txt -t 4.",
    "results --state faild": "--state: 'faild' is not one of succeeded, failed, rejected, retrying. Did you mean",
    "results --sate failed": "cloudkon-cli results has no option --sate. Did you mean --state?",
    "explain": "Name one task, by the number of its line or by its id: [JOB] TASK.",
    "stats --csv --json": "Choose one of --json and --csv.",
    "watch --wait soon": "--wait: a number, 0 or more, is needed, not 'soon'.",
    "generate sleep": "Missing option '--tasks'.",
    "generate sleep --tasks 1 --ms -3": "--ms: a whole number from 0 to 43,200,000 is needed, not -3.",
    "workers lst": "There is no command 'lst'. Did you mean list?",
    "submit": "Which workload? Name its file, or - for standard input: cloudkon-cli submit FILE",
}


@pytest.mark.parametrize("words", MISTAKES)
def test_a_mistake_is_told_in_one_line_with_the_cure(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line says what is wrong and what was probably meant, or where to look; the exit code is 2."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLOUDKON_HOME", str(tmp_path))
    Path("t.txt").write_text("sleep 1\n", encoding="utf-8")
    answer = CliRunner().invoke(cloudkon_cli, words.split(), prog_name="cloudkon-cli", catch_exceptions=False)
    assert (answer.exit_code, answer.stdout) == (2, "")
    (line,) = answer.stderr.splitlines()
    assert line.startswith(f"Error: {MISTAKES[words]}")


def test_a_group_without_a_command_shows_its_help() -> None:
    """Who types a group's name wants to know what is in it."""
    assert "Commands:" in CliRunner().invoke(cloudkon_cli, ["generate"], prog_name="cloudkon-cli").stderr
