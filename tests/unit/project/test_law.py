"""The law of the house: who may import whom, who may read the environment, and how long a file may be."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

FILES = sorted(
    path
    for place in ("app.py", "animoto", "bench", "cli", "cloudkon", "dispatcher", "ec2_worker", "tests")
    for path in (Path(place).rglob("*.py") if Path(place).is_dir() else [Path(place)])
)
PRODUCT = [path for path in FILES if path.parts[0] != "tests"]
OURS = ("animoto", "bench", "cli", "cloudkon", "dispatcher", "ec2_worker", "infrastructure", "tests")

# The longest prefix that fits a file decides. "core" are the modules directly in cloudkon/, wiring.py left out.
LAW: dict[str, set[str]] = {
    "animoto/": {"core", "animoto"},
    "app.py": {"dispatcher"},
    "bench/": {"animoto", "core", "wiring", "aws", "local", "dispatcher", "ec2_worker", "cli", "bench"},
    "cli/": {"animoto", "core", "wiring", "aws", "local", "dispatcher", "ec2_worker", "cli"},
    "cloudkon/": {"core"},
    "cloudkon/aws/": {"core", "aws"},
    "cloudkon/local/": {"core", "local"},
    "cloudkon/wiring.py": {"core", "aws", "local"},
    "dispatcher/": {"core", "dispatcher"},
    "dispatcher/app.py": {"core", "wiring", "dispatcher"},
    "ec2_worker/": {"core", "ec2_worker"},
    "ec2_worker/__main__.py": {"core", "wiring", "ec2_worker"},
    "ec2_worker/assembly.py": {"core", "wiring", "aws", "ec2_worker"},
}
# Packages that only some files may import; every other one only animoto/ may, for its pictures and its sound.
KEPT_TO: dict[str, str] = {
    "boto3": "cloudkon/aws/",
    "botocore": "cloudkon/aws/",
    "mypy_boto3_": "cloudkon/aws/",
    "aws_xray_sdk": "cloudkon/aws/xray.py",
    "opentelemetry": "cloudkon/telemetry/otel.py",
    "chalice": "dispatcher/app.py",
    "click": "cli/",
    "rich": "cli/",
}
READS_THE_ENVIRONMENT = ("bench/", "cli/", "dispatcher/app.py", "ec2_worker/__main__.py")
MOST_LINES = 300
NAMES_OF_NOTHING = {"common", "helpers", "misc", "util", "utils"}


def imports(path: Path) -> Iterator[str]:
    """Everything that a file imports, wherever in it, by dotted names."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports by dots, which hides from where"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def part_of(module: str) -> str:
    """Which part of the house a module of ours belongs to."""
    package, _, rest = module.partition(".")
    below = rest.partition(".")[0]
    if package != "cloudkon":
        return package
    return below if below in {"aws", "local", "wiring"} else "core"


def may_import(path: Path) -> set[str]:
    return LAW[max((prefix for prefix in LAW if path.as_posix().startswith(prefix)), key=len)]


def test_the_law_has_something_to_hold() -> None:
    """The files are found from where the tests are run."""
    assert len(PRODUCT) > 100
    assert {part_of(module) for path in PRODUCT for module in imports(path)} >= {"core", "aws", "local", "wiring"}


@pytest.mark.parametrize("path", PRODUCT, ids=str)
def test_ours(path: Path) -> None:
    """A file imports only those parts of ours that stand below it."""
    ours = {module for module in imports(path) if module.partition(".")[0] in OURS}
    assert {module for module in ours if part_of(module) not in may_import(path)} == set()


@pytest.mark.parametrize("path", PRODUCT, ids=str)
def test_others(path: Path) -> None:
    """A package that is not ours is imported only where it is kept: the core has the standard library and itself."""
    place = path.as_posix()
    for module in imports(path):
        package = module.partition(".")[0]
        if package in OURS or package in sys.stdlib_module_names:
            continue
        kept_to = next((kept for name, kept in KEPT_TO.items() if package.startswith(name)), "animoto/")
        # What is measured may be taken in hand.
        assert place.startswith((kept_to, "bench/")), f"{place} imports {module}, which is kept to {kept_to}"


@pytest.mark.parametrize("path", PRODUCT, ids=str)
def test_environment(path: Path) -> None:
    """Only entry points and the command line read the environment; all others are told."""
    if path.as_posix().startswith(READS_THE_ENVIRONMENT):
        return
    tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    reads = {node.attr for node in tree if isinstance(node, ast.Attribute)} & {"environ", "environb", "getenv"}
    assert reads | {module for module in imports(path) if module in {"os.environ", "os.getenv"}} == set()


@pytest.mark.parametrize("path", FILES, ids=str)
def test_files_are_short(path: Path) -> None:
    """A file fits into a head, and its name says what it holds."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES
    assert path.stem not in NAMES_OF_NOTHING


def test_every_direct_dependency_is_locked() -> None:
    """What pyproject.toml asks for is in the lock, and what it pins is pinned there to the same version."""
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    locked = dict(
        line.split("==")
        for line in Path("constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line and not line.startswith("#")
    )
    asked = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    for requirement in asked:
        name = requirement.partition("[")[0].partition("=")[0].partition(">")[0]
        assert name in locked, requirement
        if "==" in requirement:
            assert requirement.endswith(f"=={locked[name]}"), requirement
