"""The commands in the docs do what the docs say."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from cli.system.environment import child_environment
from tests.support.data.pages import PAGES, Block, blocks
from tests.support.worlds.embedded_aws import EmbeddedAws

PLACES = ("local", "cloud")
EXECUTED = [page for page in PAGES if any(block.words & set(PLACES) for block in blocks(page))]


# What differs from one run to the next, and what stands for it.
_VARIES = (
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"), "DATE"),
    (re.compile(r"\b(local-)?[a-z]+-[a-z2-7]{12}\b"), "JOB"),
    (re.compile(r"\b[\w.-]+-\d+-[0-9a-f]{6}\b"), "WORKER"),
    (re.compile(r"(?<![\w.])/[\w./-]+"), "PATH"),
    (re.compile(r"\+?\d[\d,.]* ?(µs|ms|s|min \d\d s|min|h)\b"), "TIME"),
    (re.compile(r"\d[\d,.]*"), "N"),
    (re.compile(r"[▁▂▃▄▅▆▇█][▁▂▃▄▅▆▇█ ]*"), "CURVE "),
    (re.compile(r"\s+"), " "),
)


def shape(line: str) -> str:
    """A line of output without what differs from one run to the next."""
    for found, instead in _VARIES:
        line = found.sub(instead, line)
    return line.strip()


def programs(folder: Path) -> Path:
    """A folder with what an installed CloudKon puts on the PATH, and the Python that has it."""
    folder.mkdir()
    for name, command in {"cloudkon-cli": "-m cli.main", "python": ""}.items():
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec {sys.executable} {command} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    return folder


def run_block(block: Block, folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.text],
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )


def test_something_is_executed() -> None:
    """The README's commands are among those that run."""
    assert Path("README.md") in EXECUTED


@pytest.mark.parametrize("page", EXECUTED, ids=str)
def test_the_commands_of_a_page_end_as_it_says(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Every block of a page that is marked runs, in the page's order, and ends and prints as the page says."""
    folder = tmp_path / "here"
    folder.mkdir()
    added = {
        "PATH": f"{programs(tmp_path / 'bin')}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(Path.cwd()),
        "CLOUDKON_POLL_S": "1",  # a worker that is told to stop first ends its receive: so nobody waits 20 s for it
    }
    alone = child_environment(1, "dev", os.environ) | added | {"CLOUDKON_HOME": str(tmp_path / "home")}
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "CLOUDKON_STAGE"):
        del alone[name]
    alone["HOME"] = str(tmp_path)  # where nobody has set AWS up
    output = ""
    for block in blocks(page):
        if "file" in block.options:
            (folder / block.options["file"]).write_text(block.text, encoding="utf-8")
        if "output" in block.words:
            came = {shape(line) for line in output.splitlines()}
            missing = [line for line in block.text.splitlines() if shape(line) not in came]
            assert not missing, f"{page}:{block.line} shows what did not come. This came:\n{output}"
        if not block.words & set(PLACES):
            continue
        environment = alone
        if "cloud" in block.words:
            embedded: EmbeddedAws = request.getfixturevalue("embedded_cloud")
            environment = {**embedded.environment, **added}
        answer = run_block(block, folder, environment)
        output = f"{answer.stdout}\n{answer.stderr}"
        expected = int(block.options.get("exit", 0))
        assert answer.returncode == expected, f"{page}:{block.line}\n{answer.stdout}\n{answer.stderr}"
        assert "Traceback" not in answer.stderr
