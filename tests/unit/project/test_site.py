"""The site of the documentation has every page, and is built without a warning."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import click
import pytest

from cli.main import cloudkon_cli

DOCS = Path("docs")


@pytest.fixture(scope="module")
def conf() -> ModuleType:
    spec = importlib.util.spec_from_file_location("site_conf", DOCS / "conf.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_page_is_in_the_table_of_contents(conf: ModuleType) -> None:
    """Each page of docs/ is under a heading of the first page, and each decision in the list of decisions."""
    source = [Path("docs/README.md").read_text(encoding="utf-8")]
    conf.complete(None, "README", source)
    listed = set(re.findall(r"^[\w/-]+$", source[0].partition("{toctree}")[2], re.MULTILINE))
    assert {path.stem for path in DOCS.glob("*.md")} - {"README"} <= listed
    decisions = [Path("docs/adr/README.md").read_text(encoding="utf-8")]
    conf.complete(None, "adr/README", decisions)
    assert all(path.stem in decisions[0] for path in (DOCS / "adr").glob("0*.md"))


def test_the_reference_has_every_command_with_its_help(conf: ModuleType) -> None:
    """Each command's help stands on the page of the command line, and each public name on that of Python."""
    page = "".join(conf.command_reference(cloudkon_cli, click.Context(cloudkon_cli, info_name="cloudkon-cli")))
    for command in ("cloudkon-cli", "cloudkon-cli run", "cloudkon-cli workers image build", "cloudkon-cli check"):
        assert re.search(rf"^#+ {command}$", page, re.MULTILINE)
    assert "--joblog" in page
    assert ".. autofunction:: cloudkon.task" in conf.python_reference()


def test_links_to_pages_outside_of_the_site_lead_to_files(conf: ModuleType) -> None:
    """A link to a page that is not on the site becomes one to the file, and others stay."""
    source = ["[a](../README.md) [b](cli.md#run) [c](../CONTRIBUTING.md#rules)"]
    conf.complete(None, "workloads", source)
    assert source == ["[a](<path:../README.md>) [b](cli.md#run) [c](<path:../CONTRIBUTING.md>)"]


@pytest.mark.skipif(importlib.util.find_spec("sphinx") is None, reason="the extra docs is not installed: make docs")
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    """Every link, anchor and docstring is in order: a warning is an error."""
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", str(DOCS), str(tmp_path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (0, "")
