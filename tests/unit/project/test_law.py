"""The law of the house: which room may import which, who reads the environment, how much a file and a folder hold."""

import ast
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

FILES = sorted(
    path
    for place in (
        "app.py",
        "cloudkon_cli.py",
        "animoto",
        "bench",
        "cli",
        "cloudkon",
        "dispatcher",
        "ec2_worker",
        "tests",
    )
    for path in (Path(place).rglob("*.py") if Path(place).is_dir() else [Path(place)])
)
PRODUCT = [path for path in FILES if path.parts[0] != "tests"]
OURS = ("animoto", "bench", "cli", "cloudkon", "dispatcher", "ec2_worker", "infrastructure", "tests")

# A folder is a room. These files, too, are rooms of their own, or belong to another room than the folder they lie in.
APART: dict[str, str] = {
    "app.py": "app",
    "cloudkon_cli.py": "cloudkon_cli",
    "cloudkon/__init__.py": "cloudkon",
    "cloudkon/errors.py": "base",
    "cloudkon/own_modules.py": "base",
    "cloudkon/testing.py": "testing",
    "cloudkon/wording.py": "base",
    "cloudkon/signals.py": "base",
    "cloudkon/clock.py": "base",
    "cloudkon/backoff.py": "base",
    "cloudkon/printable.py": "base",
    "cloudkon/settings.py": "settings",
    "cloudkon/ports.py": "ports",
    "cloudkon/wiring.py": "wiring",
    "cloudkon/aws/cloud.py": "aws/cloud",
    "dispatcher/app.py": "dispatcher/app",
    "ec2_worker/__main__.py": "ec2_worker/main",
    "ec2_worker/assembly.py": "ec2_worker/assembly",
    "cli/upload_pictures.py": "cli/pictures",
    "animoto/addresses.py": "animoto/download",
    "animoto/fetch.py": "animoto/download",
    "animoto/in_order.py": "animoto/in_order",
    "animoto/canvas.py": "animoto/picture",
    "animoto/pictures.py": "animoto/picture",
    "animoto/render.py": "animoto/movie",
    "animoto/picture/broken.py": "animoto/download",  # what could not be fetched is broken, too
    "animoto/video.py": "animoto/movie",
}
_ALL_OF_CORE = {"base", "settings", "ports"} | {
    *("cloudkon/handlers", "cloudkon/handlers/arguments", "cloudkon/ledger", "cloudkon/messages", "cloudkon/reports"),
    *("cloudkon/stage", "cloudkon/telemetry", "cloudkon/workload", "cloudkon/workload/templates"),
}
_ALL_OF_AWS = {"aws/cloud", "cloudkon/aws"} | {
    f"cloudkon/aws/{room}" for room in ("checkups", "leftovers", "ledger", "machines", "stack")
}
_ALL_OF_ANIMOTO = {"animoto"} | {
    f"animoto/{room}" for room in ("in_order", "formats", "download", "h264", "movie", "picture")
}
_BELOW_THE_CLI = (
    _ALL_OF_CORE
    | _ALL_OF_AWS
    | {f"cloudkon/{room}" for room in ("client", "client/local", "costs", "local", "reports/activity")}
    | {"wiring", "dispatcher", "ec2_worker", "ec2_worker/assembly"}
)
# What each room may import, beside itself.
LAW: dict[str, set[str]] = {
    "base": set(),
    "settings": {"base"},
    "cloudkon/stage": {"base"},
    "cloudkon/telemetry": {"base", "cloudkon/stage"},
    "cloudkon/ledger": {"base", "cloudkon/stage", "cloudkon/telemetry"},
    "ports": {"base", "cloudkon/ledger", "cloudkon/telemetry"},
    "cloudkon/workload": {"base", "ports", "cloudkon/ledger"},
    "cloudkon/workload/templates": {"base", "cloudkon/workload"},
    "cloudkon/messages": {"base", "ports", "cloudkon/ledger", "cloudkon/telemetry"},
    "cloudkon/handlers/arguments": {"base"},
    "cloudkon/handlers": {
        "base",
        "cloudkon/handlers/arguments",
        "ports",
        "cloudkon/ledger",
        "cloudkon/telemetry",
        "cloudkon/workload",
    },
    "cloudkon/reports": {"base", "settings", "ports"}
    | {f"cloudkon/{room}" for room in ("ledger", "messages", "telemetry", "workload")},
    "cloudkon/reports/activity": {"base"} | {f"cloudkon/{room}" for room in ("ledger", "reports", "workload")},
    "cloudkon/costs": {"base", "ports"} | {f"cloudkon/{room}" for room in ("ledger", "reports", "workload")},
    "cloudkon": {"cloudkon/handlers", "cloudkon/client"},
    "cloudkon/client": _ALL_OF_CORE | {"cloudkon/client/local", "cloudkon/local", "wiring", "dispatcher", "ec2_worker"},
    "cloudkon/client/local": _ALL_OF_CORE | {"cloudkon/local", "dispatcher", "ec2_worker", "ec2_worker/assembly"},
    "cloudkon/local": {"base", "settings", "ports", "cloudkon/ledger"},
    "cloudkon/aws": {"base", "settings", "ports", "cloudkon/stage", "cloudkon/telemetry"},
    "cloudkon/aws/ledger": {"base", "ports", "cloudkon/ledger", "cloudkon/aws"},
    "cloudkon/aws/machines": {"base", "cloudkon/stage", "cloudkon/aws"},
    "cloudkon/aws/stack": {"base", "cloudkon/stage", "cloudkon/aws"},
    "aws/cloud": {"base", "settings", "ports", "cloudkon/stage", "cloudkon/telemetry"}
    | {"cloudkon/aws", "cloudkon/aws/ledger", "cloudkon/aws/machines"},
    "cloudkon/aws/checkups": {"base", "settings", "cloudkon/stage", "aws/cloud", "cloudkon/aws"}
    | {"cloudkon/aws/machines", "cloudkon/aws/stack"},
    "cloudkon/aws/leftovers": {"base", "cloudkon/ledger", "cloudkon/stage", "aws/cloud"}
    | {f"cloudkon/aws{room}" for room in ("", "/checkups", "/ledger", "/machines", "/stack")},
    "wiring": _ALL_OF_CORE | {"cloudkon/aws", "aws/cloud", "cloudkon/local"},
    "dispatcher": _ALL_OF_CORE,
    "dispatcher/app": _ALL_OF_CORE | {"dispatcher", "wiring"},
    "app": {"dispatcher/app"},
    "cloudkon_cli": {"base", "cli"},
    "testing": _ALL_OF_CORE
    | {"cloudkon/client/local", "cloudkon/local", "dispatcher", "ec2_worker", "ec2_worker/assembly"},
    "ec2_worker/telemetry": _ALL_OF_CORE,
    "ec2_worker/pipeline": _ALL_OF_CORE | {"ec2_worker/telemetry"},
    "ec2_worker/health": _ALL_OF_CORE | {"ec2_worker/telemetry", "ec2_worker/pipeline"},
    "ec2_worker/lifecycle": _ALL_OF_CORE | {f"ec2_worker/{room}" for room in ("telemetry", "pipeline", "health")},
    "ec2_worker": _ALL_OF_CORE | {f"ec2_worker/{room}" for room in ("telemetry", "pipeline", "health", "lifecycle")},
    "ec2_worker/assembly": _ALL_OF_CORE
    | {f"ec2_worker{room}" for room in ("", "/telemetry", "/pipeline", "/health", "/lifecycle")}
    | {"wiring", "aws/cloud"},
    "ec2_worker/main": _ALL_OF_CORE
    | {
        "ec2_worker",
        "ec2_worker/assembly",
        "ec2_worker/health",
        "ec2_worker/lifecycle",
        "ec2_worker/telemetry",
        "wiring",
    },
    "animoto/h264": {"base"},
    "animoto/in_order": set(),
    "animoto/download": {"base", "ports"},
    "animoto/formats": {"base"},
    "animoto/picture": {"base", "animoto/formats", "animoto/h264", "animoto/download"},
    "animoto/movie": {"base", "animoto/in_order", "animoto/h264", "animoto/picture"},
    "animoto": _ALL_OF_CORE | {"cloudkon"} | (_ALL_OF_ANIMOTO - {"animoto"}),
    "cli/pictures": _BELOW_THE_CLI | {"animoto/download"},
    "cli/system": _BELOW_THE_CLI,
    "cli/terminal": _BELOW_THE_CLI,
    "cli/input": _BELOW_THE_CLI | {"cli/system", "cli/terminal", "cli/views"},
    "cli/views": _BELOW_THE_CLI | {"cli/system", "cli/terminal"},
    "cli/jobs": _BELOW_THE_CLI | {"cli/system", "cli/terminal", "cli/input", "cli/views"},
    "cli/report": _BELOW_THE_CLI | {"cli/system", "cli/terminal", "cli/views", "cli/jobs"},
    "cli/running/processes": _BELOW_THE_CLI | {"ec2_worker/lifecycle"},
    "cli/running": _BELOW_THE_CLI
    | _ALL_OF_ANIMOTO
    | {"ec2_worker/pipeline", "ec2_worker/lifecycle", "cli/running/processes"}
    | {"cli/pictures", "cli/system", "cli/terminal", "cli/input", "cli/views", "cli/jobs"},
    "cli/repair": _BELOW_THE_CLI | {"cli/system", "cli/terminal", "cli/input", "cli/views", "cli/jobs", "cli/running"},
    "cli/embedded": _BELOW_THE_CLI | _ALL_OF_ANIMOTO | {"cli/system", "cli/terminal"},
    "cli/stage": _BELOW_THE_CLI | _ALL_OF_ANIMOTO | {"cli/system", "cli/terminal", "cli/embedded"},
    "cli/manual": _BELOW_THE_CLI | {"cli/system", "cli/terminal"},
    "cli/habits": _BELOW_THE_CLI | {"cli/system", "cli/terminal"},
    "cli": _BELOW_THE_CLI | _ALL_OF_ANIMOTO | {"cli/system", "cli/terminal", "cli/habits", "cli/pictures"},
    "cli/fleet": _BELOW_THE_CLI | {"cli", "cli/system", "cli/terminal", "cli/jobs"},
}
# What is measured may be taken in hand.
MAY_IMPORT_ALL = ("bench/",)
# Packages that only some files may import; every other one only animoto/ may, for its pictures and its sound.
KEPT_TO: dict[str, str] = {
    "boto3": "cloudkon/aws/",
    "botocore": "cloudkon/aws/",
    "mypy_boto3_": "cloudkon/aws/",
    "aws_xray_sdk": "cloudkon/aws/xray.py",
    "opentelemetry": "cloudkon/telemetry/otel.py",
    "chalice": "dispatcher/app.py",
    "msgspec": "cloudkon/handlers/",
    "click": "cli/",
    "jinja2": "cli/report/",
    "markupsafe": "cli/report/",
    "rich": "cli/",
}
READS_THE_ENVIRONMENT = ("bench/", "cli/", "cloudkon/client/client.py", "dispatcher/app.py", "ec2_worker/__main__.py")
MOST_LINES = 300
MOST_FILES = 16
NAMES_OF_NOTHING = {"base", "common", "core", "helper", "helpers", "lib", "misc", "shared", "tools", "util", "utils"}


def imports(path: Path) -> Iterator[str]:
    """Everything that a file imports, wherever in it, by dotted names."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports by dots, which hides from where"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def room_of(path: Path) -> str:
    """Which room a file belongs to."""
    return APART.get(path.as_posix()) or path.parent.as_posix()


def file_of(module: str) -> Path:
    """The file of ours that an imported name comes from: a module, a package, or something that one of them holds."""
    path = Path(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return file_of(module.rpartition(".")[0])


def test_the_law_has_something_to_hold() -> None:
    """The files are found from where the tests are run, and every room has its law."""
    assert len(PRODUCT) > 100
    assert {room_of(path) for path in PRODUCT if not path.as_posix().startswith(MAY_IMPORT_ALL)} == set(LAW)
    assert all(Path(path).is_file() for path in APART)


def test_rooms_import_each_other_in_no_circle() -> None:
    """The rooms can be put in an order in which each imports only those before it."""
    order = list(TopologicalSorter(LAW).static_order())
    assert len(order) == len(LAW)


@pytest.mark.parametrize("path", PRODUCT, ids=str)
def test_a_file_imports_only_the_rooms_below_its_own(path: Path) -> None:
    """A file imports its own room and those that the law allows to it."""
    if path.as_posix().startswith(MAY_IMPORT_ALL):
        return
    ours = {module for module in imports(path) if module.partition(".")[0] in OURS}
    allowed = LAW[room_of(path)] | {room_of(path)}
    assert {module for module in ours if room_of(file_of(module)) not in allowed} == set()


@pytest.mark.parametrize("path", PRODUCT, ids=str)
def test_a_foreign_package_is_imported_only_where_it_is_kept(path: Path) -> None:
    """A package that is not ours is imported only where it is kept: the core has the standard library and itself."""
    place = path.as_posix()
    for module in imports(path):
        package = module.partition(".")[0]
        if package in OURS or package in sys.stdlib_module_names:
            continue
        kept_to = next((kept for name, kept in KEPT_TO.items() if package.startswith(name)), "animoto/")
        assert place.startswith((kept_to, *MAY_IMPORT_ALL)), f"{place} imports {module}, which is kept to {kept_to}"


@pytest.mark.parametrize("path", PRODUCT, ids=str)
def test_only_entry_points_read_the_environment(path: Path) -> None:
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


def test_folders_are_read_at_a_glance() -> None:
    """No folder lists more than some sixteen files beside its __init__.py."""
    listed = Counter(path.parent.as_posix() for path in FILES if path.name != "__init__.py")
    assert {folder: count for folder, count in listed.items() if count > MOST_FILES} == {}


@pytest.mark.parametrize("folder", sorted({path.parent for path in PRODUCT if path.parent != Path()}), ids=str)
def test_every_folder_says_what_it_is_for(folder: Path) -> None:
    """The docstring of a folder's __init__.py is one sentence."""
    says = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    assert says.endswith(".")
    assert "\n" not in says


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
