import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZipFile

import pytest

PACKAGES = ("animoto", "cli", "cloudkon", "dispatcher", "ec2_worker", "infrastructure")
CONSTRAINTS = Path("constraints.txt").absolute()


def run(command: Sequence[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """As in a shell where nobody has set AWS up; pip's own configuration stays."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CLOUDKON_", "PYTHON"))}
    environment = kept | {"HOME": str(cwd), "AWS_EC2_METADATA_DISABLED": "true"}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    shutil.rmtree("build/lib", ignore_errors=True)  # what an earlier build had would be in this one too
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir"]
    subprocess.run([*pip, str(folder), "."], check=True, capture_output=True, text=True)
    [built] = folder.glob("cloudkon-*.whl")
    return built


def test_the_wheel_holds_every_module(wheel: Path) -> None:
    """No package is forgotten, and neither tests nor benches nor the Lambda's links are in it."""
    packed = {name for name in ZipFile(wheel).namelist() if name.endswith(".py")}
    modules = {path.as_posix() for package in PACKAGES for path in Path(package).rglob("*.py")}
    assert packed == modules | {"cloudkon_cli.py"}


def test_the_wheel_explains_what_is_missing(wheel: Path, tmp_path: Path) -> None:
    """In a clean environment the wheel installs, and says of each missing piece what it is for and how to get it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = str(tmp_path / "venv/bin/python")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "-c", str(CONSTRAINTS)]
    doctor = [str(tmp_path / "venv/bin/cloudkon-cli"), "doctor"]

    bare = run([*pip, str(wheel)], tmp_path)
    assert bare.returncode == 0, bare.stderr
    refused = run(doctor, tmp_path)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        "Error: the command line needs click, which is not installed: pip install 'cloudkon[cli]'\n"
    )

    with_cli = run([*pip, f"{wheel}[cli]"], tmp_path)
    assert with_cli.returncode == 0, with_cli.stderr
    said = run(doctor, tmp_path)
    assert said.returncode == 1
    lines = [" ".join(line.split()) for line in said.stdout.splitlines()]
    assert lines[1] == "ok cloudkon 0.1.0"
    assert "absent animoto Not installed: av, PIL, aiohttp. With it, videos can be made." in lines
    assert "-> If it is wanted: pip install 'cloudkon[animoto]'" in lines
    assert "-> Set AWS_REGION, such as eu-central-1." in lines
