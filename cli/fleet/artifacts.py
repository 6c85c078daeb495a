"""What a worker's image is made from: the project's wheel, the locked versions, and wheels of the user's own tasks."""

import hashlib
import os
import shutil
import sys
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.system.processes import run_to_end
from cloudkon.errors import CloudKonError, InputError, NotFoundError
from cloudkon.ports import ObjectStore

CONSTRAINTS = "constraints.txt"
_PROVISION = "ec2_worker/ami/provision.sh"
_DIGEST_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Artifacts:
    """Files that travel together; what provision.sh asks of its SOURCE."""

    wheel: Path
    constraints: Path
    own: tuple[Path, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        return (self.wheel, self.constraints, *self.own)

    @property
    def digest(self) -> str:
        """What tells their content from any other; a wheel that is built again from the same files has the same."""
        told = hashlib.sha256()
        for wheel in sorted((self.wheel, *self.own), key=lambda path: path.name):
            with zipfile.ZipFile(wheel) as archive:  # whose entries carry times, which tell nothing
                for name in sorted(archive.namelist()):
                    told.update(f"{wheel.name}\0{name}\0".encode() + hashlib.sha256(archive.read(name)).digest())
        told.update(self.constraints.read_bytes())
        return told.hexdigest()[:_DIGEST_DIGITS]

    @property
    def provision(self) -> str:
        """The script that belongs to the wheel."""
        with zipfile.ZipFile(self.wheel) as archive:
            try:
                return archive.read(_PROVISION).decode()
            except KeyError as error:
                raise InputError(f"{self.wheel} is too old: it has no {_PROVISION}.") from error

    @property
    def sums(self) -> Mapping[str, str]:
        """The SHA-256 sum of each file, by its name."""
        return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in self.files}

    def upload(self, store: ObjectStore, prefix: str) -> None:
        for file in self.files:
            store.upload(f"{prefix}/{file.name}", file)


def given(wheel: Path, own: Sequence[Path]) -> Artifacts:
    """A wheel that somebody has built, with the locked versions beside it; raise InputError if they are not there."""
    constraints = wheel.parent / CONSTRAINTS
    if not wheel.name.startswith("cloudkon-"):
        raise InputError(f"{wheel.name} is not CloudKon's wheel: cloudkon-<version>-py3-none-any.whl is.")
    if not constraints.is_file():
        raise InputError(f"There is no {CONSTRAINTS} beside {wheel}. Copy it there from CloudKon's repository.")
    return _checked(Artifacts(wheel, constraints, tuple(own)))


def built(start: Path, folder: Path, own: Sequence[Path]) -> Artifacts:
    """Build the wheel of the repository above start, in a folder; raise NotFoundError if there is none."""
    root = _repository(start)
    source = folder / "source"
    _copy_project(root, source)  # a build in place would pack what an earlier one left in build/
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--disable-pip-version-check"]
    code, said = run_to_end([*command, "--wheel-dir", str(folder), str(source)], os.environ, folder)
    wheels = list(folder.glob("cloudkon-*.whl"))
    if code != 0 or len(wheels) != 1:
        raise CloudKonError(f"pip wheel failed (exit code {code}): {_last_line(said)}")
    return _checked(Artifacts(wheels[0], root / CONSTRAINTS, tuple(own)))


def _repository(start: Path) -> Path:
    for folder in (start, *start.parents):
        if (folder / CONSTRAINTS).is_file() and (folder / _PROVISION).is_file():
            return folder
    raise NotFoundError(
        f"{start} is not in CloudKon's repository, and the wheel is built from there. Go there, or give a wheel that "
        f"was built there, with {CONSTRAINTS} beside it: --wheel dist/cloudkon-0.1.0-py3-none-any.whl"
    )


def _copy_project(root: Path, into: Path) -> None:
    """Copy what pyproject.toml packs, and nothing else that lies about."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    for packages in project["tool"]["setuptools"]["packages"]["find"]["include"]:
        package = packages.removesuffix("*")
        shutil.copytree(root / package, into / package, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", project["project"]["readme"], *project["project"]["license-files"]):
        shutil.copy2(root / file, into / file)


def _checked(artifacts: Artifacts) -> Artifacts:
    for wheel in (artifacts.wheel, *artifacts.own):
        if not zipfile.is_zipfile(wheel):
            raise InputError(f"{wheel} is not a wheel.")
    names = [file.name for file in artifacts.files]
    if len(set(names)) < len(names) or any(name.startswith("cloudkon-") for name in names[2:]):
        raise InputError("Each wheel is needed once, and CloudKon's own by --wheel only.")
    return artifacts


def _last_line(said: str) -> str:
    return next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "it said nothing.")
