"""The manual pages say what the help says, and can be read."""

import shutil
import subprocess
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cli.main import cloudkon_cli
from cli.manual.man_pages import man_pages

PAGES = {page.name: page.text for page in man_pages(cloudkon_cli, "cloudkon-cli", "1.0")}


def test_every_command_has_a_page() -> None:
    """The program, each command and each command below one has a page, and each page leads to the one above."""
    for name in ("cloudkon-cli", "cloudkon-cli-run", "cloudkon-cli-workers-image-build", "cloudkon-cli-man"):
        assert f"{name}.1" in PAGES
    assert all(".SH SEE ALSO" in text for name, text in PAGES.items() if name != "cloudkon-cli.1")
    assert len(PAGES) > 50


def test_a_page_has_every_option_and_example() -> None:
    """Options, arguments and examples of the help are on the page, one by one."""
    page = PAGES["cloudkon-cli-run.1"]
    run = cloudkon_cli.get_command(click.Context(cloudkon_cli), "run")
    assert run is not None
    for option in run.params:
        if isinstance(option, click.Option):
            assert all(name.replace("-", "\\-") in page for name in option.opts)
    assert "\ncloudkon\\-cli run LOCAL tasks.txt \\-t 4\n" in page
    assert "Examples:" not in page
    assert "\b" not in page


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff, which draws manual pages, is not installed")
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_drawn_without_a_warning(name: str) -> None:
    """What draws manual pages has nothing to object to, and nothing of the text is taken for a command."""
    command = ["groff", "-man", "-Tutf8", "-ww"]
    drawn = subprocess.run(command, input=PAGES[name], capture_output=True, text=True, check=True)
    assert drawn.stderr == ""
    assert "SIGTERM" in drawn.stdout


def test_the_pages_are_written_to_a_folder(tmp_path: Path) -> None:
    """The command writes each page into the folder, which it makes; a file in its place is told."""
    answer = CliRunner().invoke(cloudkon_cli, ["man", "--output", str(tmp_path / "man1")])
    assert answer.exit_code == 0
    assert {path.name for path in (tmp_path / "man1").iterdir()} == PAGES.keys()
    (tmp_path / "file").touch()
    answer = CliRunner().invoke(cloudkon_cli, ["man", "--output", str(tmp_path / "file" / "man1")])
    assert answer.exit_code == 1
    assert "can't be written" in answer.stderr
