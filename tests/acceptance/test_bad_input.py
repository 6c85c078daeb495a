"""What can't be used is told in one line that says what to do, with the right exit code, and leaves nothing behind."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.worlds.embedded_aws import EmbeddedAws

CLI = ("-m", "cli.main")
WORKER = ("-m", "ec2_worker")
KEYS = {"AWS_ACCESS_KEY_ID": "made-up", "AWS_SECRET_ACCESS_KEY": "made-up"}
REGION = {"AWS_REGION": "us-east-1"}
NOWHERE = {**KEYS, **REGION, "AWS_ENDPOINT_URL": "http://127.0.0.1:{closed}"}
STRANGER = {**KEYS, **REGION, "AWS_ENDPOINT_URL": "http://127.0.0.1:{stranger}"}
NO_CREDENTIALS = "no AWS credentials. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run on"
NO_REGION = "no AWS region. Set AWS_REGION, such as eu-central-1."
NO_CONNECTION = "Is the network up, and are AWS_REGION and AWS_ENDPOINT_URL right?"
NO_AWS = "what answered does not speak AWS's language. Is AWS_ENDPOINT_URL right, or does a proxy stand between?"
NO_MODULE = "there is no module named 'nosuch' in this folder, on PYTHONPATH, or among the installed ones."
NO_HANDLER = 'it has no handler; mark a function with @task("name").'


@dataclass(frozen=True, slots=True)
class Case:
    """A command, and what has to be said about it."""

    command: tuple[str, ...]
    code: int
    said: str
    environment: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{' '.join(self.command[1:])} {self.said}"[:80]


def local(*more: str) -> tuple[str, ...]:
    return (*CLI, "run", "LOCAL", *more)


CASES = [
    Case(local("-s", "{folder}/nosuch"), 2, "nosuch does not exist."),
    Case(local("-s", "{folder}"), 2, "is a folder. Name the files in it."),
    Case(local("-s", "{unreadable}"), 2, " can't be read: "),
    Case(local("-s", "{binary}"), 2, "is a binary file. A workload is text, a task a line, or such text gzipped."),
    Case(local("-s", "{good}", "--ledger", "{binary}"), 2, "can't be used as a ledger: file is not a database."),
    Case(local("-s", "{good}", "--ledger", "{folder}"), 2, "is a directory."),
    Case(local("-s", "{good}", "--ledger", "{good}/ledger"), 2, "can't be used as a ledger: "),
    Case(local("-s", "{good}", "--tasks", "nosuch"), 2, NO_MODULE),
    Case(local("-s", "{good}", "--tasks", "json"), 2, NO_HANDLER),
    Case(local("-s", "{good}", "--results", "{folder}/nosuch/file"), 2, "it can't be written: No such file"),
    Case(local("-s", "{good}", "-t", "0"), 2, "--threads: a whole number, 1 or more, is needed, not 0."),
    Case(local(), 2, "Which workload? Name its file, or - for standard input: cloudkon-cli run LOCAL FILE"),
    Case((*CLI, "run", "{good}"), 2, "On this machine: cloudkon-cli run LOCAL "),
    Case((*CLI, "run", "local", "{folder}/nosuch"), 2, "nosuch does not exist."),
    Case(local("{good}", "-s", "{good}"), 2, "Two workloads are named, "),
    Case(local("{zip}"), 2, "is a ZIP archive (or an Office document, which is one). Unpack it, and give the text"),
    Case(local("{utf16}"), 2, "is UTF-16 text, as PowerShell's > writes it; a workload is UTF-8. Convert it: iconv"),
    Case(local("{good}", "--results", "{good}"), 2, "is the workload, and would be overwritten. Name another file."),
    Case(local("{good}", "--results", "{utf16}"), 2, "it holds something already, which is not overwritten."),
    Case(local("{good}", "--ledger", "{good}"), 2, "is the workload, and would be overwritten. Name another file."),
    Case(local("{good}", "--results", "-", "--json"), 2, "--json and --results - would both be written to standard"),
    Case(local("{good}", "--tasks", "nosuch.py"), 2, "--tasks nosuch.py: there is no file nosuch.py."),
    Case(
        (*CLI, "run", "queue", "{good}", "--retries", "1"), 2, "--retries is for LOCAL, and queue is a queue", NOWHERE
    ),
    Case(local("-s", "{good}"), 2, "CLOUDKON_LEASE_S=soon is no number.", {"CLOUDKON_LEASE_S": "soon"}),
    Case((*CLI, "stats", "local-nosuch"), 1, "There is no job 'local-nosuch'"),
    Case((*CLI, "stats"), 1, "There is no job yet. Run a workload here: cloudkon-cli run LOCAL -s FILE."),
    Case((*CLI, "stats", "--ledger", "{binary}"), 2, "can't be used as a ledger: file is not a database."),
    Case((*CLI, "submit", "{good}", "{folder}/nosuch"), 2, "nosuch does not exist.", NOWHERE),
    Case((*CLI, "submit", "{good}"), 1, NO_CREDENTIALS, REGION),
    Case((*CLI, "submit", "{good}"), 2, NO_REGION, KEYS),
    Case((*CLI, "submit", "{good}"), 1, NO_CONNECTION, NOWHERE),
    Case((*CLI, "submit", "{good}"), 1, NO_AWS, STRANGER),
    Case((*CLI, "submit", "{good}"), 2, "Invalid endpoint: nonsense.", {**NOWHERE, "AWS_ENDPOINT_URL": "nonsense"}),
    Case((*CLI, "submit", "{good}"), 2, "See AWS_PROFILE and ~/.aws/config.", {**NOWHERE, "AWS_PROFILE": "nosuch"}),
    Case((*CLI, "run", "queue", "-s", "{good}", "--resume"), 2, "--resume is for LOCAL, and queue is a queue", NOWHERE),
    Case((*CLI, "stats", "nosuch"), 1, NO_CONNECTION, NOWHERE),
    Case((*CLI, "stack", "status"), 1, NO_CREDENTIALS, REGION),
    Case((*CLI, "stack", "up", "--stage", "No_Stage"), 2, "'No_Stage' is not a stage's name", NOWHERE),
    Case((*CLI, "jobs"), 2, "'No_Stage' is not a stage's name", {"CLOUDKON_STAGE": "No_Stage"}),
    Case(WORKER, 1, NO_CREDENTIALS, REGION),
    Case(WORKER, 1, NO_CONNECTION, NOWHERE),
    Case(WORKER, 2, "'No_Stage' is not a stage's name", {**NOWHERE, "CLOUDKON_STAGE": "No_Stage"}),
    Case(WORKER, 2, "lease_s is longer than two guards", {**NOWHERE, "CLOUDKON_LEASE_S": "5"}),
    Case((*WORKER, "--tasks", "nosuch"), 2, NO_MODULE, NOWHERE),
    Case((*WORKER, "--tasks", "json"), 2, NO_HANDLER, NOWHERE),
    Case((*WORKER, "--threads", "0"), 2, "at least 1 is needed"),
    Case((*WORKER, "--until-idle", "soon"), 2, "argument --until-idle: "),
]
ON_THE_CLOUD = [
    Case((*CLI, "run", "nosuch", "-s", "{good}"), 1, "There is no queue nosuch in this account and region."),
    Case((*CLI, "submit", "{good}", "--stage", "nosuch"), 1, "it does not exist"),
    Case((*CLI, "submit", "{good}"), 1, "it does not exist", {"AWS_REGION": "eu-west-1"}),
    Case((*CLI, "stats", "nosuch"), 1, "There is no job 'nosuch'"),
    Case((*CLI, "jobs", "--stage", "nosuch"), 1, "it does not exist"),
    Case((*CLI, "stack", "status", "--stage", "nosuch"), 1, "Create it: cloudkon-cli stack up --stage nosuch"),
    Case(WORKER, 1, "There is no queue cloudkon-nosuch-tasks", {"CLOUDKON_STAGE": "nosuch"}),
    Case((*WORKER, "--source", "nosuch"), 1, "There is no queue nosuch in this account and region."),
]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What the commands are about: files, a port where nobody listens, and one where somebody else does."""
    folder = tmp_path_factory.mktemp("bad input") / "files"
    folder.mkdir()
    (folder / "good.txt").write_text("sleep 0\n")
    (folder / "binary").write_bytes(b"\x7fELF\0\0\0")
    (folder / "zip").write_bytes(b"PK\x03\x04\x0a\0\0\0sleep 0\n")
    (folder / "utf16").write_text("sleep 0\n", encoding="utf-16")
    unreadable = folder / "unreadable"
    unreadable.touch(mode=0)
    if os.access(unreadable, os.R_OK):  # whoever may read everything still can't read this
        unreadable = Path("/proc/self/mem")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: refused
        server = subprocess.Popen(
            [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        with server:
            assert server.stdout
            stranger = server.stdout.readline().split(" port ")[1].split()[0]
            yield {
                "folder": str(folder),
                "good": str(folder / "good.txt"),
                "binary": str(folder / "binary"),
                "zip": str(folder / "zip"),
                "utf16": str(folder / "utf16"),
                "unreadable": str(unreadable),
                "closed": str(closed.getsockname()[1]),
                "stranger": stranger,
            }
            server.kill()


def assert_told(case: Case, environment: dict[str, str], places: dict[str, str]) -> None:
    """The command fails within its time, in one line, and nothing is there that was not before."""
    home = Path(places["folder"]).parent / "home"
    own = {name: value.format(**places) for name, value in case.environment.items()}
    before = sorted(Path(places["folder"]).iterdir())
    command = [sys.executable, *(word.format(**places) for word in case.command)]
    answer = subprocess.run(
        command,
        env={**environment, "CLOUDKON_HOME": str(home), "HOME": str(home), **own},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (answer.returncode, answer.stdout) == (case.code, "")
    *before_it, told = answer.stderr.splitlines()
    assert case.said in told
    usage = [line for line in before_it if not line.endswith(" Trying again.")]  # a worker that begins is patient
    assert not usage or usage[0].lower().startswith("usage: ")
    assert "Traceback" not in answer.stderr
    assert sorted(Path(places["folder"]).iterdir()) == before
    assert not home.exists()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_missing_for_aws_is_named_in_one_line(case: Case, places: dict[str, str]) -> None:
    """Files, options, credentials, region, endpoint: each has its own line."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CLOUDKON_"))}
    assert_told(case, {**kept, "AWS_EC2_METADATA_DISABLED": "true", "no_proxy": "*"}, places)


@pytest.mark.parametrize("case", ON_THE_CLOUD, ids=str)
def test_on_the_embedded_cloud(case: Case, places: dict[str, str], embedded_cloud: EmbeddedAws) -> None:
    """Queues, jobs, stages and regions that are not there are named."""
    assert_told(case, dict(embedded_cloud.environment), places)
