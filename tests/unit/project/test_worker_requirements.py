"""What an image of the workers installs: the versions that everybody has, and of each file its sum."""

import re
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REQUIREMENTS = Path("ec2_worker/ami/requirements.txt").read_text(encoding="utf-8")
CONSTRAINTS = Path("constraints.txt").read_text(encoding="utf-8")
PINNED = dict(re.findall(r"^([\w.-]+)==([\w.]+)", REQUIREMENTS, re.MULTILINE))
EXTRAS = ("animoto", "xray")


def needed(name: str, extras: tuple[str, ...], found: set[str]) -> set[str]:
    """All that a package needs here, with these extras, and what those need."""
    for told in distribution(name).requires or []:
        requirement = Requirement(told)
        wanted = any(requirement.marker is None or requirement.marker.evaluate({"extra": e}) for e in (*extras, ""))
        other = canonicalize_name(requirement.name)
        if wanted and other not in found:
            found.add(other)
            needed(other, tuple(requirement.extras), found)
    return found


def test_an_image_has_the_versions_that_everybody_has() -> None:
    """Each pinned version is that of constraints.txt, by which the tests have run."""
    everybody = dict(re.findall(r"^([\w.-]+)==([\w.]+)$", CONSTRAINTS, re.MULTILINE))
    assert PINNED.items() <= everybody.items()


def test_all_that_a_worker_needs_has_a_sum() -> None:
    """Nothing that CloudKon's wheel asks for, with the image's extras, is left to be resolved; each has its sums."""
    assert needed("cloudkon", EXTRAS, set()) == {canonicalize_name(name) for name in PINNED}
    packages = re.split(r"^(?=[\w.-]+==)", REQUIREMENTS, flags=re.MULTILINE)[1:]
    assert len(packages) == len(PINNED)
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}\b", package) for package in packages)


def test_the_script_installs_nothing_without_a_sum() -> None:
    """pip is given the list with its sums, and CloudKon's own wheel without an index to look into."""
    script = Path("ec2_worker/ami/provision.sh").read_text(encoding="utf-8")
    calls = re.findall(r"pip_install (.+)", script)
    assert [call.split()[0] for call in calls] == ["--require-hashes", "--no-index", "--constraint"]
    assert "pip install" not in script.replace(
        '-m pip install --quiet --no-cache-dir --disable-pip-version-check "$@"', ""
    )
