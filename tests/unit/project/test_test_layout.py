"""Tests are a map of the code: their folders mirror its folders, and their names say what has to hold."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

TESTS = Path("tests")
FOLDERS = sorted({path.parent for path in TESTS.rglob("*.py")})
UNIT = sorted((TESTS / "unit").rglob("*.py"))
OF_THE_PROJECT = TESTS / "unit/project"
"""Tests of the repository itself: its rules, its pages, its policies."""
MOST_FILES = 16
FEWEST_WORDS = 3


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def imported(path: Path) -> Iterator[str]:
    """The modules that a file imports, and the names that it takes from them, which may be modules."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


@cache
def way_to_moto(path: Path) -> tuple[Path, ...]:
    """The files by which a file comes to import moto, itself first; empty if it does not."""
    waiting: list[tuple[Path, ...]] = [(path,)]
    seen = {path}
    for way in waiting:
        for module in imported(way[-1]):
            if module.partition(".")[0] == "moto":
                return way
            file = Path(*module.split(".")).with_suffix(".py")
            if file not in seen and file.is_file():
                seen.add(file)
                waiting.append((*way, file))
    return ()


def is_fixture(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any("fixture" in ast.unparse(decorator) for decorator in function.decorator_list)


@cache
def motos_fixtures() -> set[str]:
    """The shared fixtures that files define which import moto."""
    files = [path for path in (TESTS / "support").rglob("*.py") if way_to_moto(path)]
    return {function.name for path in files for function in functions(path) if is_fixture(function)}


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_a_folder_of_tests_can_be_read_at_a_glance(folder: Path) -> None:
    """A folder lists at most 16 files, so that one finds a file by looking at the list."""
    assert len(list(folder.glob("*.py"))) <= MOST_FILES


@pytest.mark.parametrize("folder", sorted({path.parent for path in UNIT}), ids=str)
def test_the_unit_tests_mirror_the_folders_of_the_code(folder: Path) -> None:
    """A folder of unit tests has the name, and the place, of the folder of code that it tests."""
    code = folder.relative_to(TESTS / "unit")
    assert folder == OF_THE_PROJECT or code == Path() or any(code.glob("*.py"))


@pytest.mark.parametrize("path", sorted(TESTS.rglob("test_*.py")), ids=str)
def test_the_name_of_a_test_says_the_behaviour(path: Path) -> None:
    """A name has three words or more, for in a log nothing else is seen of a test; its docstring is the sentence."""
    tests = [function for function in functions(path) if function.name.startswith("test_")]
    words = {test.name: len(test.name.split("_")) - 1 for test in tests}
    assert {name for name, count in words.items() if count < FEWEST_WORDS} == set()
    assert {test.name for test in tests if not ast.get_docstring(test)} == set()


@pytest.mark.parametrize("path", UNIT, ids=str)
def test_unit_tests_do_without_moto(path: Path) -> None:
    """Neither a unit test nor what it imports imports moto, and no fixture of such a file is asked for."""
    asked = {argument.arg for function in functions(path) for argument in function.args.args}
    assert way_to_moto(path) == ()
    assert asked & motos_fixtures() == set()


def test_moto_is_seen_where_it_is_used() -> None:
    """What looks for moto finds it behind another file, and finds the fixture that serves it."""
    assert motos_fixtures() == {"aws", "dynalite", "fauxqs", "strangers"}
    assert way_to_moto(TESTS / "contract/aws/test_queue.py")[1:] == (TESTS / "support/emulators/moto_aws.py",)
    assert way_to_moto(TESTS / "contract/aws/test_emptying.py") == (TESTS / "contract/aws/test_emptying.py",)
