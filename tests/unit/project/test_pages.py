"""The pages that strangers read are whole: links lead somewhere, and what they name is what there is."""

import argparse
import re
import shlex
from dataclasses import fields
from pathlib import Path

import click
import pytest

from cli.embedded.demo import NEXT_STEPS
from cli.main import cloudkon_cli
from cli.running.run_animoto import run_animoto
from cli.running.submit_animoto import submit_animoto
from cloudkon.settings import Settings
from ec2_worker.options import parser
from tests.support.data.pages import PAGES, blocks

CLI = "".join(Path(f"docs/{page}.md").read_text(encoding="utf-8") for page in ("tools", "cli"))
OPERATING = Path("docs/operating.md").read_text(encoding="utf-8")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings get where it is shown."""
    text = _FENCED.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(group: click.Group, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], click.Command]:
    """All commands by their paths, without groups."""
    context = click.Context(group)
    found: dict[tuple[str, ...], click.Command] = {}
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            found |= commands(command, (*path, name))
        else:
            found[*path, name] = command
    return found


COMMANDS = {("run", "LOCAL", "animoto"): run_animoto, ("submit", "animoto"): submit_animoto} | commands(cloudkon_cli)
SHELL = [(str(page), block.text) for page in PAGES for block in blocks(page) if block.language == "sh"]
SHOWN = [
    (place, words)
    for place, text in [*SHELL, ("the demonstration", "\n".join(NEXT_STEPS))]
    for call in re.findall(r"(?:^|[|(]\s*)(cloudkon-cli (?:'[^']*'|[^|)\n#>&'])*)", text, re.MULTILINE)
    if (words := shlex.split(call.replace('"', "")))
]


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    """A link within the repository leads to a file, and to a heading of it."""
    for link in _LINK.findall(_FENCED.sub("", page.read_text(encoding="utf-8"))):
        if link.startswith("http"):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_and_option_is_described(path: tuple[str, ...]) -> None:
    """Each command and each of its options is in docs/cli.md or docs/tools.md."""
    assert re.search(rf"`?{' '.join(path)}\b", CLI)
    options = [option for option in COMMANDS[path].params if isinstance(option, click.Option)]
    missing = [name for option in options for name in option.opts if not re.search(rf"{name}\b", CLI)]
    assert missing == []


def test_every_option_of_the_worker_is_described() -> None:
    """Each option of a worker is in docs/cli.md."""
    section = CLI.partition("## The worker")[2]
    shown = [action for action in parser()._actions if action.help is not argparse.SUPPRESS]
    actions = [action for action in shown if not isinstance(action, argparse._HelpAction)]
    names = [name for action in actions for name in action.option_strings]
    assert [name for name in names if not re.search(rf"{name}[ `]", section)] == []


@pytest.mark.parametrize(("page", "words"), SHOWN, ids=str)
def test_shown_commands_exist(page: str, words: list[str]) -> None:
    """A command line that is shown names a command that there is, with options that it has."""
    words = [words[0], *words[3:]] if words[1] == "--config-profile" else words
    path = next((path for path in COMMANDS if tuple(words[1 : 1 + len(path)]) == path), None)
    assert path is not None, f"{page}: {' '.join(words)}"
    known = {name for option in COMMANDS[path].params for name in option.opts} | {"--help"}
    end = next((at for at, word in enumerate(words) if word in ("--", ":::")), len(words))  # then comes a command
    assert {word.partition("=")[0] for word in words[:end] if word.startswith("-") and word != "-"} <= known


def test_the_settings_are_described() -> None:
    """docs/operating.md has each setting with its default."""
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", OPERATING, re.MULTILINE))
    assert {name: float(value) for name, value in rows.items()} == {
        field.name: getattr(Settings(), field.name) for field in fields(Settings)
    }


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_nothing_is_installed_from_where_it_is_not(page: Path) -> None:
    """CloudKon is in no package index, so a page tells to install it from a clone."""
    assert re.findall(r"pip install '?cloudkon.*", page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_file_that_is_named_exists(page: Path) -> None:
    """A path within the repository that a page names is there; a star stands for any name."""
    folders = "animoto|bench|cli|cloudkon|dispatcher|docs|ec2_worker|infrastructure|tests"
    named = re.findall(rf"`((?:{folders})/[\w/.*-]+)`", page.read_text(encoding="utf-8"))
    assert [name for name in named if not any(Path().glob(name.rstrip("/")))] == []


def test_the_example_of_a_single_test_selects_one() -> None:
    """What CONTRIBUTING.md says runs a single test names a file that there is, and a part of a test's name in it."""
    found = re.search(r"-m pytest (tests/\S+\.py) -k (\w+)", Path("CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert found is not None
    assert re.search(rf"def test_\w*{found[2]}", Path(found[1]).read_text(encoding="utf-8"))


def test_each_decision_has_a_number_of_its_own_and_is_listed() -> None:
    """No two pages of decisions have one number, and the list of decisions links to each."""
    pages = sorted(path.name for path in Path("docs/adr").glob("0*.md"))
    numbers = [name.partition("-")[0] for name in pages]
    assert sorted(set(numbers)) == numbers
    listed = re.findall(r"\]\((0[\w.-]+)\)", Path("docs/adr/README.md").read_text(encoding="utf-8"))
    assert sorted(listed) == pages
