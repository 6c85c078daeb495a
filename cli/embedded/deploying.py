"""Brings the stack and the Lambda of this repository into an embedded cloud, by an unmodified chalice deploy."""

import fcntl
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from cli.embedded.emulator import Emulator
from cli.system.environment import child_environment
from cli.system.processes import cli, run_to_end
from cloudkon.errors import CloudKonError, InputError, NotFoundError

Say = Callable[[str], None]
_WITHOUT = {"Fleet": "no", "Alarms": "no"}
"""There are no machines in an embedded cloud, and nobody reads its alarms."""

PACKING = {"PYTHONDONTWRITEBYTECODE": "1"}  # as forget_bytecode


def find_project(start: Path, stage: str) -> Path:
    """The repository above start; raise NotFoundError if there is none, InputError if it has no such stage."""
    root = next((folder for folder in (start, *start.parents) if (folder / ".chalice/config.json").is_file()), None)
    if root is None:
        raise NotFoundError(
            f"There is no .chalice/config.json in {start} or above it. Run this in CloudKon's repository."
        )
    try:
        stages = json.loads((root / ".chalice/config.json").read_text(encoding="utf-8"))["stages"]
    except (ValueError, KeyError, TypeError) as error:
        raise CloudKonError(f"{root / '.chalice/config.json'} can't be read: {error!r}") from error
    if stage not in stages:
        raise InputError(f"The Lambda has no stage {stage!r}. Use one of: {', '.join(stages)} (.chalice/config.json).")
    if find_spec("chalice") is None:
        raise CloudKonError("The Lambda is deployed by chalice: pip install 'cloudkon[cloud]'")
    return root


def deploy(root: Path, cloud: Emulator, environment: Mapping[str, str], say: Say) -> None:
    """Create the stack and deploy the Lambda; raise CloudKonError, having said what the failing command said."""
    environment = child_environment(cloud.port, cloud.stage, environment) | PACKING
    say("creating the stack")
    _run("stack up", stack_up(cloud.stage, _WITHOUT), root, environment, say)
    say("deploying the Lambda (chalice deploy)")
    with one_deploy(root, say):
        forget_bytecode(root)
        with _keeping_record(root / ".chalice/deployed" / f"{cloud.stage}.json"):
            _run("chalice deploy", chalice_deploy(cloud.stage), root, environment, say)


@contextmanager
def one_deploy(root: Path, say: Say) -> Iterator[None]:
    """Let one process at a time deploy from this repository, since Chalice packs and keeps its records in it."""
    folder = os.open(root / ".chalice", os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another command is deploying from this repository; waiting for it")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def forget_bytecode(root: Path) -> None:
    """Remove what Python has left beside the modules: Chalice would pack it, and make every package a new one."""
    for package in (root / "vendor").iterdir():
        for cache in package.rglob("__pycache__"):
            shutil.rmtree(cache, ignore_errors=True)


def stack_up(stage: str, parameters: Mapping[str, str]) -> list[str]:
    given = [part for name, value in parameters.items() for part in ("--parameter", f"{name}={value}")]
    return cli("stack", "up", "--stage", stage, *given)


def chalice_deploy(stage: str) -> list[str]:
    """Chalice's own command, by the Python that runs this: whatever else is installed is not asked."""
    return [
        sys.executable,
        "-c",
        "import sys; from chalice.cli import main; sys.exit(main())",
        "deploy",
        "--stage",
        stage,
    ]


def _run(name: str, command: list[str], root: Path, environment: Mapping[str, str], say: Say) -> None:
    code, said = run_to_end(command, environment, root)
    if code != 0:
        say(said.rstrip())
        raise CloudKonError(f"The embedded cloud could not be prepared: {name} failed (exit code {code}), see above.")


@contextmanager
def _keeping_record(record: Path) -> Iterator[None]:
    """Leave Chalice's record of what is deployed as it was: it may be of the same stage on AWS."""
    before = record.read_bytes() if record.exists() else None
    record.unlink(missing_ok=True)
    try:
        yield
    finally:
        record.unlink(missing_ok=True)
        if before is not None:
            record.write_bytes(before)
