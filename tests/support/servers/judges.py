"""Independent implementations of DynamoDB and SQS, in Node: dynalite and fauxqs, as npm/package-lock.json pins them.

Our own emulators were made to agree with our code; these were not. They are fetched once, into .cache, and checked by
npm against the sums of the lock file. Where there is no npm, or no way to its registry, their tests are skipped.
"""

import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

_HERE = Path(__file__).parent / "npm"
_CACHE = Path(".cache")
_INSTALL = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
_FETCH_S = 240


@dataclass(frozen=True, slots=True)
class Judges:
    """Where both are served, on loopback."""

    dynamodb: str
    sqs: str


@contextmanager
def judges() -> Iterator[Judges]:
    """Serve both until the block ends; they end with us too, for their stdin is then closed."""
    command = ["node", str(_installed() / "judges.mjs")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            ports = json.loads(server.stdout.readline())
            yield Judges(*(f"http://127.0.0.1:{ports[name]}" for name in ("dynamodb", "sqs")))
        finally:
            server.terminate()


def _installed() -> Path:
    """The folder that both are in; skip who asks where they can't be had."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(_HERE.iterdir()))).hexdigest()
    place = _CACHE.absolute() / f"judges-{digest[:12]}"
    if not place.exists():
        if shutil.which("npm") is None or shutil.which("node") is None:
            pytest.skip("npm is not there")
        _fetch(place)
    return place


def _fetch(place: Path) -> None:
    """All or nothing, though another process does the same."""
    _CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_CACHE) as folder:
        made = shutil.copytree(_HERE, Path(folder) / "judges")
        try:
            said = subprocess.run(_INSTALL, cwd=made, capture_output=True, text=True, check=False, timeout=_FETCH_S)
        except subprocess.TimeoutExpired:
            pytest.skip("npm did not fetch the judges in time")
        if said.returncode != 0:
            pytest.skip(f"npm could not fetch the judges: {said.stderr.strip()[-300:]}")
        with suppress(OSError):  # the other process was faster
            made.rename(place)
